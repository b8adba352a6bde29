import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Tensor, type TensorInfo, tensor, writeStore } from '@prune/core';
import { removeAtExit } from '@prune/core/node';
import { type PackableCheckpoint, type PackOptions, packCheckpoint } from '@prune/model-files';
import { createStore, type StoreOptions, storeOfName } from '@prune/model-files/node';

/** What a table takes in the chosen precision, and as floats. */
export interface EmbeddingSizes {
  readonly name: string;
  readonly chosen: number;
  readonly floats: number;
}

/** Options of {@link smallerEmbeddings}. */
export interface SmallerEmbeddingsOptions extends Partial<PackOptions>, StoreOptions {
  readonly output: string;
  readonly signal?: AbortSignal;
}

/** Rows that stand for the whole table: enough for a ratio within some percent, and a fraction of a second of work. */
const SAMPLE_ROWS = 1024;

/**
 * Tells whether the largest embedding table would take fewer bytes as floats, which is so when its values were rounded
 * before: then they are as few as the codes, and no row needs a scale. Packs some of its rows both ways. Returns the
 * estimated bytes, or `undefined` when the chosen precision is smaller or there is no table.
 */
export async function smallerEmbeddings(
  { tensors }: PackableCheckpoint,
  options: SmallerEmbeddingsOptions,
): Promise<EmbeddingSizes | undefined> {
  const name = largestTable(tensors);
  if (name === undefined) return undefined;
  const table = await tensors.get(name);
  if (table === undefined) return undefined;
  const sample = someRows(table as Tensor);
  const folder = await mkdtemp(join(tmpdir(), 'prune-sample-'));
  const released = removeAtExit(folder);
  try {
    const sizeAs = async (embeddings: PackOptions['embeddings']) => {
      // Without the config, which says what else belongs to the model. The table is told by its name.
      const part = { tensors: Object.assign(new Map([[name, sample]]), { info: () => sample }), metadata: {} };
      const { entries } = packCheckpoint(part, { ...options, embeddings });
      const kind = storeOfName(options.output, options.store);
      const path = join(folder, kind === 'h5' ? 'sample.h5' : 'sample.prune');
      const writer = await createStore(path, { ...options, base: undefined, store: kind, force: true });
      await writeStore(writer, entries, {}, { signal: options.signal });
      return (await stat(path)).size;
    };
    const [chosen, floats] = [await sizeAs(options.embeddings ?? 'f32'), await sizeAs('f32')];
    const scale = table.shape[0] / sample.shape[0];
    return floats < chosen ? { name, chosen: chosen * scale, floats: floats * scale } : undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
    released();
  }
}

function largestTable(tensors: PackableCheckpoint['tensors']): string | undefined {
  const cells = ({ shape }: TensorInfo) => shape[0] * shape[1];
  const tables = [...tensors.keys()].flatMap((name) => {
    const info = tensors.info(name);
    return info?.shape.length === 2 && /embeddings?\.weight$/.test(name) ? [{ name, cells: cells(info) }] : [];
  });
  return tables.sort((a, b) => b.cells - a.cells)[0]?.name;
}

/** Rows from all over the table: frequent words come first in it. */
function someRows({ dtype, shape: [rows, columns], data }: Tensor): Tensor {
  const count = Math.min(rows, SAMPLE_ROWS);
  const picked = data.slice(0, count * columns) as Tensor['data'];
  for (let i = 0; i < count; i++) {
    const row = Math.floor((i * rows) / count);
    for (let j = 0; j < columns; j++) picked[i * columns + j] = data[row * columns + j];
  }
  return tensor(dtype, [count, columns], picked);
}
