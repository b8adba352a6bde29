import { type CsrMatrix, type CsrRows, csrOfRows, type Elementary, type ElementaryStateDict } from '@prune/core';
import { describe, expect, it } from 'vitest';
import { decompose } from './decompose.js';
import { recomposeRows, recomposeSparse } from './recompose.js';

const weight: CsrMatrix = {
  shape: [2, 4],
  indptr: Int32Array.of(0, 2, 3),
  indices: Uint16Array.of(0, 2, 1),
  data: Int8Array.of(5, -6, 7),
};
const flat = new Map<string, Elementary>();
for await (const [name, value] of decompose(
  new Map([['m', { kind: 'linear', weight, qscheme: 'per_tensor_affine', scales: Float64Array.of(0.5), bias: null }]]),
)) {
  flat.set(name, value);
}

/** A store whose matrix is `rows`. */
const storeOf = (rows: Omit<CsrRows, 'forEachRow'> | undefined, asked: string[] = []): ElementaryStateDict => ({
  keys: () => flat.keys(),
  get(name) {
    asked.push(name);
    return flat.get(name);
  },
  async rows(name) {
    asked.push(name);
    return (
      rows && {
        ...rows,
        forEachRow(visit) {
          const { indptr, indices, data } = weight;
          for (let row = 0; row < 2; row++) visit(row, indices, data, indptr[row], indptr[row + 1]);
        },
      }
    );
  },
});

describe('recomposeRows', () => {
  it('of a store without rows, or without those of the matrix, is recomposeSparse', async () => {
    const wanted = await recomposeSparse(flat).get('m');
    expect(await recomposeRows(flat).get('m')).toEqual(wanted);
    expect(await recomposeRows(storeOf(undefined)).get('m')).toEqual(wanted);
  });

  it('leaves rows to the store, in the declared shape, and never asks for the arrays', async () => {
    const asked: string[] = [];
    const linear = await recomposeRows(storeOf({ shape: [2, 3], nnz: 3 }, asked)).get('m');
    if (linear === undefined || !('kind' in linear) || linear.kind !== 'linear') throw new Error('no Linear');
    expect(csrOfRows(linear.weight as CsrRows)).toEqual(weight);
    expect(asked).toContain('m._packed_params.weight.int_repr');
    expect(asked.filter((name) => /\.(data|indices|indptr)$/.test(name))).toEqual([]);
  });

  it.each<[readonly [number, number]]>([[[3, 3]], [[2, 5]], [[1, 4]]])('refuses a matrix of %j', async (shape) => {
    await expect(recomposeRows(storeOf({ shape, nnz: 3 })).get('m')).rejects.toMatchObject({
      code: 'mismatch',
      tensor: 'm._packed_params.weight.int_repr',
    });
  });
});
