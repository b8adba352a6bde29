import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeElementaryPytorch } from '@prune/checkpoint';
import {
  type ByteSink,
  checkAborted,
  type Elementary,
  EMBEDDING_PARTS,
  intReprArrayOf,
  LINEAR_PARTS,
  splitPartName,
  type TensorStore,
  writeStore,
} from '@prune/core';
import { removeAtExit } from '@prune/core/node';
import { type PackableCheckpoint, type PackOptions, packCheckpoint } from '@prune/model-files';
import { CODEC_NAMES, createStore, openStore, type StoreOptions } from '@prune/model-files/node';

/** One way to keep a model, and what it takes. */
export interface Comparison {
  readonly form: string;
  /** The whole file, or the arrays alone where there is no file. */
  readonly bytes: number;
  /** How many times smaller than dense float32. */
  readonly ratio: number;
  /** Bits that the sparse matrices take, a nonzero. */
  readonly bitsPerNonzero: number;
  /** Seconds from the elementary form in memory to the file; `null` where nothing is written. */
  readonly seconds: number | null;
}

const PRESETS = ['fast', 'max'] as const;

/** The stores and codecs that are compared, the notebook's own first. */
export const COMPARED_STORES: readonly (StoreOptions & { readonly form: string })[] = [
  { form: 'HDF5, gzip 9', store: 'h5', level: 9 },
  ...CODEC_NAMES.flatMap((codec) =>
    (codec === 'entropy' ? PRESETS : [undefined]).map((preset) => ({
      form: ['msgpack', codec, preset].filter(Boolean).join(', '),
      store: 'msgpack' as const,
      codec,
      preset,
    })),
  ),
];

/** Options of {@link compareCheckpoint}. */
export interface CompareCheckpointOptions {
  readonly signal?: AbortSignal;
  /** Called after each step: quantizing, then each store. */
  readonly onStep?: (what: string) => void;
  /** Called with each row as soon as it is known. */
  readonly onRow?: (row: Comparison) => void;
}

/** Packs a checkpoint once and keeps it in every form in turn, in a temporary folder that is removed. */
export async function compareCheckpoint(
  checkpoint: PackableCheckpoint,
  options: PackOptions,
  { signal, onStep, onRow }: CompareCheckpointOptions = {},
): Promise<readonly Comparison[]> {
  const { entries, metadata } = packCheckpoint(checkpoint, options);
  const elementary = new Map<string, Elementary>();
  for await (const [name, value] of entries) {
    checkAborted(signal);
    elementary.set(name, value);
  }
  onStep?.('quantized');
  const size = sizesOf(elementary);
  const rows: Comparison[] = [];
  function add(form: string, bytes: number, matrixBytes: number, seconds: number | null = null) {
    const bitsPerNonzero = (8 * matrixBytes) / size.nonzeros;
    const row = { form, bytes, ratio: size.dense32 / bytes, bitsPerNonzero, seconds };
    rows.push(row);
    onRow?.(row);
  }
  add('dense float32', size.dense32, 4 * size.cells);
  // A table that is quantized too counts as it is stored.
  add('dense int8', size.dense32 - 3 * size.cells - 4 * size.tableCells + size.tables, size.cells);
  add('CSR, uncompressed', size.elementary, size.csr);
  // The notebook's torch.save of the elementary form. What the sparse matrices take is what a file without them lacks.
  const saved = await savedBytes(elementary, signal);
  const others = new Map([...elementary].filter(([name]) => intReprArrayOf(name) === undefined));
  add('torch.save', saved, saved - (await savedBytes(others, signal)));

  const folder = await mkdtemp(join(tmpdir(), 'prune-compare-'));
  const released = removeAtExit(folder);
  try {
    for (const { form, ...store } of COMPARED_STORES) {
      const path = join(folder, store.store === 'h5' ? 'model.h5' : 'model.prune');
      const start = performance.now();
      // Only the tensors: the tokenizer is the same in each form and HDF5 keeps it in files of its own.
      await writeStore(
        await createStore(path, { ...store, force: true }),
        elementary,
        { modules: metadata.modules },
        { signal },
      );
      const seconds = (performance.now() - start) / 1000;
      add(form, (await stat(path)).size, await csrBytes(path), seconds);
      onStep?.(form);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    released();
  }
  return rows;
}

/** Bytes of the file that `torch.save` makes of the elementary form, counted and not kept. */
async function savedBytes(
  elementary: ReadonlyMap<string, Elementary>,
  signal: AbortSignal | undefined,
): Promise<number> {
  let bytes = 0;
  const sink: ByteSink = {
    async write(part) {
      bytes += part.byteLength;
    },
    async writeAt() {},
    async commit() {},
    async abort() {},
  };
  await writeElementaryPytorch(sink, elementary, { signal });
  return bytes;
}

/** Bytes in the file that are the arrays of sparse matrices. */
async function csrBytes(path: string): Promise<number> {
  const store: TensorStore = await openStore(path);
  try {
    const names = [...store.keys()].filter((name) => intReprArrayOf(name) !== undefined);
    return names.reduce((sum, name) => sum + store.info(name)!.storedBytes, 0);
  } finally {
    await store.close();
  }
}

/** Bytes of the elementary form as arrays, and of what it stands for. */
function sizesOf(elementary: ReadonlyMap<string, Elementary>) {
  const size = { dense32: 0, cells: 0, elementary: 0, csr: 0, nonzeros: 0, tableCells: 0, tables: 0 };
  for (const [name, value] of elementary) {
    if (typeof value === 'string') continue;
    const bytes = value.data.byteLength;
    size.elementary += bytes;
    const array = intReprArrayOf(name);
    const part = splitPartName(name)?.part;
    if (array !== undefined) {
      size.csr += bytes;
      if (array === 'data') size.nonzeros += value.data.length;
    } else if (part === LINEAR_PARTS.shape || part === EMBEDDING_PARTS.shape) {
      const cells = Number(value.data[0]) * Number(value.data[1]);
      size.dense32 += 4 * cells;
      if (part === LINEAR_PARTS.shape) size.cells += cells;
      else size.tableCells += cells;
    } else if (part !== undefined && TABLE_PARTS.has(part)) {
      size.tables += bytes;
    } else if (value.dtype === 'float32' && value.shape.length > 0) {
      size.dense32 += bytes;
    }
  }
  return size;
}

/** The arrays of a quantized embedding table. */
const TABLE_PARTS: ReadonlySet<string> = new Set([
  EMBEDDING_PARTS.intRepr,
  EMBEDDING_PARTS.scale,
  EMBEDDING_PARTS.zeroPoint,
]);
