import { describe, expect, it } from 'vitest';
import { csrOfRows } from './csr-of-rows.js';
import type { CsrRows, RowVisitor } from './csr-rows.js';

type Row = Parameters<RowVisitor>;

const rowsOf = (shape: readonly [number, number], nnz: number, rows: readonly Row[]): CsrRows => ({
  shape,
  nnz,
  forEachRow(visit) {
    for (const row of rows) visit(...row);
  },
});

const indices = Uint16Array.of(9, 1, 3, 0);
const data = Int8Array.of(9, 5, -6, 7);

describe('csrOfRows', () => {
  it('a matrix of no rows', () => {
    expect(csrOfRows(rowsOf([0, 4], 0, []))).toEqual({
      shape: [0, 4],
      indptr: Int32Array.of(0),
      indices: new Uint16Array(0),
      data: new Int8Array(0),
    });
  });

  it('rows out of the middle of arrays, an empty one among them', () => {
    const rows = rowsOf([3, 4], 3, [
      [0, indices, data, 1, 3],
      [1, indices, data, 3, 3],
      [2, indices, data, 3, 4],
    ]);
    expect(csrOfRows(rows)).toEqual({
      shape: [3, 4],
      indptr: Int32Array.of(0, 2, 2, 3),
      indices: Uint16Array.of(1, 3, 0),
      data: Int8Array.of(5, -6, 7),
    });
  });

  it('indices of a wide matrix are int32', () => {
    expect(csrOfRows(rowsOf([1, 65_536], 1, [[0, Int32Array.of(65_535), data, 0, 1]])).indices).toEqual(
      Int32Array.of(65_535),
    );
  });

  it.each<[string, number, readonly Row[]]>([
    ['a row that is missing', 0, [[0, indices, data, 0, 0]]],
    [
      'a row twice',
      0,
      [
        [0, indices, data, 0, 0],
        [0, indices, data, 0, 0],
      ],
    ],
    ['a row too many', 0, [0, 1, 2].map((row): Row => [row, indices, data, 0, 0])],
    [
      'more nonzeros than said',
      1,
      [
        [0, indices, data, 1, 3],
        [1, indices, data, 0, 0],
      ],
    ],
    [
      'fewer nonzeros than said',
      3,
      [
        [0, indices, data, 1, 3],
        [1, indices, data, 0, 0],
      ],
    ],
    [
      'a row that ends before it starts',
      3,
      [
        [0, indices, data, 3, 1],
        [1, indices, data, 0, 0],
      ],
    ],
    [
      'columns that do not ascend',
      2,
      [
        [0, Uint16Array.of(2, 2), data, 0, 2],
        [1, indices, data, 0, 0],
      ],
    ],
    [
      'a column past the end',
      1,
      [
        [0, Uint16Array.of(4), data, 0, 1],
        [1, indices, data, 0, 0],
      ],
    ],
    [
      'a negative column',
      1,
      [
        [0, Int32Array.of(-1), data, 0, 1],
        [1, indices, data, 0, 0],
      ],
    ],
    [
      'arrays that end early',
      2,
      [
        [0, indices, data, 3, 5],
        [1, indices, data, 0, 0],
      ],
    ],
  ])('%s', (_, nnz, rows) => {
    expect(() => csrOfRows(rowsOf([2, 4], nnz, rows), { where: 'w', tensor: 't' })).toThrow(
      expect.objectContaining({ code: 'corrupt', where: 'w', tensor: 't' }),
    );
  });
});
