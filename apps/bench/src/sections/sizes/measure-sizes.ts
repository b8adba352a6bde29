import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Elementary,
  type ElementaryStateDict,
  firstDifference,
  PruneError,
  type TensorStore,
  writeStore,
} from '@prune/core';
import { openStore } from '@prune/model-files/node';
import { workFolder } from '../../bench-folder.js';
import { elementaryOf } from '../../model/elementary-of.js';
import { FILE_FORMS } from '../../model/file-forms.js';
import type { Scope } from '../sides/scope.js';
import { partOf } from './part-of.js';
import { sizeBounds } from './size-bounds.js';
import { NOTEBOOK_FORM, type SizeBounds, type SizeParts, type SizeRow } from './size-row.js';
import { STREAM_FORMS, streamParts } from './stream-forms.js';

/** Options of {@link measureSizes}. */
export interface MeasureSizesOptions {
  readonly scope: Scope;
  /** The file that the notebook's own steps wrote of the same model and scope, where there is a Python for them. */
  readonly notebookFile?: string;
  readonly log?: (line: string) => void;
}

/** Every form of a model folder, each written, read back and compared before it is weighed. Tensors alone: configuration and tokenizer are left out of every form. */
export async function measureSizes(
  model: string,
  folder: string,
  { scope, notebookFile, log = () => {} }: MeasureSizesOptions,
): Promise<{ rows: SizeRow[]; bounds: SizeBounds }> {
  const { elementary, metadata, denseBytes } = await elementaryOf(folder, scope);
  const bounds = await sizeBounds(model, scope, elementary);
  const rows: SizeRow[] = [];
  const add = (form: string, note: string, parts: SizeParts | null, bytes: number, lossless: SizeRow['lossless']) => {
    const sparse = parts === null ? bytes : parts.mask + parts.values;
    rows.push({ model, scope, form, note, bytes, parts, bitsPerNonzero: (8 * sparse) / bounds.nonzeros, lossless });
    log(`sizes: ${model}, ${scope}: ${form}: ${(bytes / 1e6).toFixed(2)} MB`);
  };
  add('dense float32', 'every parameter', null, denseBytes, 'not a file');
  const raw = rawParts(elementary);
  add(
    'CSR, uncompressed',
    'int8 values, uint16 indices, int32 row pointers, float32 floats',
    raw,
    total(raw),
    'not a file',
  );
  for (const stream of STREAM_FORMS) {
    if (stream.compress === undefined || total(raw) > stream.largest) continue;
    const parts = streamParts(elementary, stream);
    add(stream.form, stream.note, parts, total(parts), 'proven');
  }
  const weigh = async (form: string, path: string) => {
    const bytes = (await stat(path)).size;
    const store = await openStore(path);
    try {
      await proveLossless(elementary, store, form);
      add(form, '', storedParts(store, bytes), bytes, 'proven');
    } finally {
      await store.close();
    }
  };
  if (notebookFile !== undefined) await weigh(NOTEBOOK_FORM, notebookFile);
  const work = join(workFolder, 'sizes', `${model}-${scope}`);
  for (const { form, extension, create } of FILE_FORMS) {
    await mkdir(work, { recursive: true });
    const path = join(work, `model.${extension}`);
    await writeStore(await create(path), elementary, { modules: metadata.modules, profile: metadata.profile });
    await weigh(form, path);
    // HDF5 has files beside it.
    await rm(work, { recursive: true });
  }
  return { rows, bounds };
}

async function proveLossless(model: ElementaryStateDict, store: TensorStore, form: string) {
  const difference = await firstDifference(model, store);
  if (difference === undefined) return;
  throw new PruneError('mismatch', { where: form, what: difference.what, tensor: difference.name });
}

function rawParts(elementary: ReadonlyMap<string, Elementary>): SizeParts {
  const parts = { mask: 0, values: 0, floats: 0, overhead: 0 };
  for (const [name, value] of elementary) {
    parts[partOf(name, value)] += typeof value === 'string' ? value.length : value.data.byteLength;
  }
  return parts;
}

/** The parts of a file by what the store says each entry takes; the file's structure is overhead. */
function storedParts(store: TensorStore, fileBytes: number): SizeParts {
  const parts = { mask: 0, values: 0, floats: 0, overhead: 0 };
  for (const name of store.keys()) {
    const { dtype, shape, storedBytes } = store.info(name)!;
    parts[partOf(name, dtype === 'string' ? '' : { dtype, shape })] += storedBytes;
  }
  return { ...parts, overhead: fileBytes - parts.mask - parts.values - parts.floats };
}

function total({ mask, values, floats, overhead }: SizeParts): number {
  return mask + values + floats + overhead;
}
