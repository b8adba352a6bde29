import { type Dtype, EMBEDDING_PARTS, type NamedInfo } from '@prune/core';

/**
 * A tensor of a group: how its name ends and the dtypes that it may have. A Linear's float64 scale is not a table's.
 */
export interface Part {
  readonly ending: string;
  readonly dtypes: readonly Dtype[];
}

/** The parts of a quantized table. The first one gives a group its key. */
export const TABLE_PARTS: readonly Part[] = [
  { ending: `.${EMBEDDING_PARTS.scale}`, dtypes: ['float32'] },
  { ending: `.${EMBEDDING_PARTS.zeroPoint}`, dtypes: ['float32'] },
  { ending: `.${EMBEDDING_PARTS.intRepr}`, dtypes: ['uint8'] },
];

/** Whether a tensor is a part of its group. */
export function isPart({ name, dtype }: Pick<NamedInfo, 'name' | 'dtype'>, { ending, dtypes }: Part): boolean {
  return name.endsWith(ending) && dtypes.includes(dtype);
}

/** The element of a group that is a part of it; the caller knows that there is one. */
export function partOf<T extends NamedInfo>(group: readonly T[], { ending }: Part): T {
  return group.find(({ name }) => name.endsWith(ending)) as T;
}

/** Columns of a table of codes, or `undefined` when the three shapes are not `[rows]`, `[rows]`, `[rows, width]`. */
export function tableWidth(scale: NamedInfo, zeroPoint: NamedInfo, intRepr: NamedInfo): number | undefined {
  const [rows, width] = intRepr.shape;
  const fit =
    intRepr.shape.length === 2 && [scale, zeroPoint].every(({ shape }) => shape.length === 1 && shape[0] === rows);
  return fit ? width : undefined;
}
