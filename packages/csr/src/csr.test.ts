import type { CsrMatrix, DenseInt8Matrix } from '@prune/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csrStatistics } from './csr-statistics.js';
import { sliceRows } from './slice-rows.js';
import { toCsr } from './to-csr.js';
import { toDense } from './to-dense.js';
import { validateCsr } from './validate-csr.js';

const dense = (rows: number, columns: number, values: ArrayLike<number> = []): DenseInt8Matrix => {
  const intRepr = new Int8Array(rows * columns);
  intRepr.set(values);
  return { shape: [rows, columns], intRepr };
};
const sizes: [rows: number, columns: number][] = [
  [0, 0],
  [0, 5],
  [5, 0],
  [1, 1],
  [1, 37],
  [37, 1],
  [13, 17],
  [7, 24],
];

/** An int8 matrix of any of the sizes, with the share of zeros that is asked for. */
const matrices = fc
  .record({
    size: fc.constantFrom(...sizes),
    sparsity: fc.constantFrom(0, 0.5, 0.9, 0.99, 1),
    offset: fc.integer({ min: 0, max: 4 }),
    seed: fc.infiniteStream(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: -128, max: 127 }))),
  })
  .map(({ size: [rows, columns], sparsity, offset, seed }) => {
    const values = Array.from({ length: rows * columns }, () => {
      const [draw, value] = seed.next().value;
      return draw < sparsity ? 0 : value || 1;
    });
    const intRepr = new Int8Array(offset + values.length + 1).fill(77);
    intRepr.set(values, offset);
    return { shape: [rows, columns], intRepr: intRepr.subarray(offset, offset + values.length) } as DenseInt8Matrix;
  });

test.each(sizes)('all-zero %i x %i', (rows, columns) => {
  const csr = toCsr(dense(rows, columns));
  validateCsr(csr);
  expect(csr).toEqual({
    shape: [rows, columns],
    indptr: new Int32Array(rows + 1),
    indices: new Uint16Array(0),
    data: new Int8Array(0),
  });
  expect(toDense(csr)).toEqual(dense(rows, columns));
  expect(csrStatistics(csr)).toMatchObject({ nnz: 0, density: 0, deadRows: rows, deadColumns: columns });
});

test('a matrix by hand, from a view', () => {
  const view = new Int8Array([9, 0, 5, 0, 0, 0, 0, -128, 127, 1, 9]).subarray(1, 10);
  const csr = toCsr({ shape: [3, 3], intRepr: view });
  expect(csr).toEqual({
    shape: [3, 3],
    indptr: Int32Array.of(0, 1, 1, 4),
    indices: Uint16Array.of(1, 0, 1, 2),
    data: Int8Array.of(5, -128, 127, 1),
  });
  expect(csrStatistics(csr, { headSize: 1 })).toEqual({
    nnz: 4,
    density: 4 / 9,
    rowCounts: Int32Array.of(1, 0, 3),
    columnCounts: Int32Array.of(1, 2, 1),
    deadRows: 1,
    deadColumns: 0,
    headCounts: Int32Array.of(1, 0, 3),
  });
  expect(csrStatistics(csr, { headSize: 3, headAxis: 'columns' }).headCounts).toEqual(Int32Array.of(4));
});

test('indices are uint16 up to 65,535 columns and int32 past that', () => {
  for (const columns of [65_535, 65_536, 65_537]) {
    const matrix = dense(2, columns);
    matrix.intRepr[columns - 1] = 3;
    matrix.intRepr[columns] = -3;
    const csr = toCsr(matrix);
    validateCsr(csr);
    expect(csr.indices).toEqual(columns === 65_535 ? Uint16Array.of(columns - 1, 0) : Int32Array.of(columns - 1, 0));
    expect(toDense(csr)).toEqual(matrix);
  }
});

test('dense -> CSR -> dense is the identity, and valid', () => {
  fc.assert(
    fc.property(matrices, (matrix) => {
      const csr = toCsr(matrix);
      validateCsr(csr);
      expect(toDense(csr).intRepr).toEqual(Int8Array.from(matrix.intRepr));
      const { rowCounts, columnCounts, nnz } = csrStatistics(csr);
      expect(rowCounts.reduce((a, b) => a + b, 0)).toBe(nnz);
      expect(columnCounts.reduce((a, b) => a + b, 0)).toBe(nnz);
    }),
  );
});

test('slices are the rows of the dense matrix, valid by themselves, and views', () => {
  fc.assert(
    fc.property(matrices, fc.nat(), fc.nat(), (matrix, a, b) => {
      const [rows, columns] = matrix.shape;
      const [start, end] = [a % (rows + 1), b % (rows + 1)].sort((x, y) => x - y);
      const csr = toCsr(matrix);
      const slice = sliceRows(csr, start, end);
      validateCsr(slice);
      expect(slice.data.buffer).toBe(csr.data.buffer);
      expect(toDense(slice).intRepr).toEqual(matrix.intRepr.slice(start * columns, end * columns));
    }),
  );
  const csr = toCsr(dense(3, 2, [1, 2, 3, 4, 5, 6]));
  expect(sliceRows(csr, 1).data).toEqual(Int8Array.of(3, 4, 5, 6));
  for (const [start, end] of [
    [-1, 2],
    [2, 1],
    [0, 4],
    [0.5, 1],
    [Number.NaN, 1],
  ]) {
    expect(() => sliceRows(csr, start, end)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  }
});

const valid: CsrMatrix = toCsr(dense(3, 4, [1, 0, 2, 0, 0, 0, 0, 0, 3, 4, 5, 0]));
const broken: [edge: string, code: string, message: string, change: Partial<CsrMatrix>][] = [
  ['negative shape', 'corrupt', 'bad shape', { shape: [-1, 4] }],
  ['fractional shape', 'corrupt', 'bad shape', { shape: [3, 4.5] }],
  ['huge shape', 'limit', 'tensor is too large', { shape: [3, 2 ** 40] }],
  ['too few row pointers', 'mismatch', 'indptr does not fit', { indptr: Int32Array.of(0, 2, 2) }],
  ['row pointers of another dtype', 'mismatch', 'indptr does not fit', { indptr: new Float32Array(4) as never }],
  ['row pointers that start late', 'corrupt', 'indptr[0]', { indptr: Int32Array.of(1, 2, 2, 5) }],
  ['row pointers that fall', 'corrupt', 'indptr[2] falls', { indptr: Int32Array.of(0, 2, 1, 5) }],
  [
    'a row pointer past nnz',
    'corrupt',
    'indptr[1] exceeds nnz, got 6, wanted at most 5',
    { indptr: Int32Array.of(0, 6, 6, 5) },
  ],
  [
    'negative nnz',
    'mismatch',
    'indptr[3] is not the number of nonzeros, got -5, wanted 5',
    { indptr: Int32Array.of(0, 2, 2, -5) },
  ],
  ['fewer values than nnz', 'mismatch', 'data does not fit', { data: Int8Array.of(1, 2, 3, 4) }],
  ['more indices than nnz', 'mismatch', 'indices does not fit', { indices: new Uint16Array(6) }],
  ['wide indices in a narrow matrix', 'mismatch', 'indices does not fit', { indices: Int32Array.of(0, 2, 0, 1, 2) }],
  ['a column twice', 'corrupt', 'indices[3] does not ascend in row 2', { indices: Uint16Array.of(0, 2, 1, 1, 2) }],
  [
    'columns that descend',
    'corrupt',
    'indices[1] does not ascend in row 0',
    { indices: Uint16Array.of(2, 0, 0, 1, 2) },
  ],
  [
    'a column outside',
    'corrupt',
    'indices[4] is no column, got 4, wanted less than 4',
    { indices: Uint16Array.of(0, 2, 0, 1, 4) },
  ],
  ['a stored zero', 'corrupt', 'data[1] is a stored zero', { data: Int8Array.of(1, 0, 3, 4, 5) }],
];

test.each(broken)('refused: %s', (_edge, code, message, change) => {
  validateCsr(valid);
  const run = () => validateCsr({ ...valid, ...change }, { tensor: 'encoder.query' });
  expect(run).toThrow(expect.objectContaining({ code, where: 'csr', tensor: 'encoder.query' }));
  expect(run).toThrow(message);
});

test('toCsr refuses an array that does not fit, csrStatistics a head size that does not divide', () => {
  expect(() => toCsr({ shape: [2, 2], intRepr: new Int8Array(3) })).toThrow(
    expect.objectContaining({ code: 'mismatch' }),
  );
  for (const headSize of [0, -1, 2, 0.5, Number.NaN]) {
    expect(() => csrStatistics(valid, { headSize })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  }
});
