import { type NamedInfo, PruneError, type RowSelector, type Tensor, tensor } from '@prune/core';
import { codecError } from './codecs/codec-error.js';

/** A block that is open for its rows. */
export interface SelectableBlock {
  readonly select: RowSelector;
  /** The name of the codec, for messages. */
  readonly codec: string;
  readonly infos: readonly NamedInfo[];
}

/**
 * Some rows of each tensor of a block. Checks the numbers of the rows, and what the codec gave. Throws
 * `invalid-argument` for a row that there is not, `corrupt` for other tensors than the manifest has.
 */
export async function selectedRows(
  { select, codec, infos }: SelectableBlock,
  rows: ArrayLike<number>,
  signal: AbortSignal | undefined,
): Promise<readonly Tensor[]> {
  const [count = 0] = infos[0].shape;
  for (let i = 0; i < rows.length; i++) {
    if (Number.isInteger(rows[i]) && rows[i] >= 0 && rows[i] < count) continue;
    throw new PruneError('invalid-argument', { what: 'no such row', got: rows[i], wanted: `0 to ${count - 1}` });
  }
  let tensors: readonly Tensor[];
  try {
    tensors = await select(rows, signal);
  } catch (error) {
    throw codecError(codec, error);
  }
  const bad = infos.findIndex(({ dtype, shape }, i) => {
    const got = tensors[i];
    return got?.dtype !== dtype || got.shape.join() !== [rows.length, ...shape.slice(1)].join();
  });
  if (bad === -1) return tensors.map(({ dtype, shape, data }) => tensor(dtype, shape, data));
  const { name, dtype, shape } = infos[bad];
  const got = tensors[bad];
  throw new PruneError('corrupt', {
    what: `rows from codec ${codec}`,
    got: got === undefined ? 'no tensor' : `${got.dtype} [${got.shape.join(', ')}]`,
    wanted: `${dtype} [${[rows.length, ...shape.slice(1)].join(', ')}]`,
    tensor: name,
  });
}
