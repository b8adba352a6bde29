import { expect, test } from 'vitest';
import { type CsrTolerance, csrFault } from './csr-fault.js';
import type { CsrMatrix } from './int8-matrix.js';

const matrix: CsrMatrix = {
  shape: [3, 4],
  indptr: Int32Array.of(0, 2, 2, 5),
  indices: Uint16Array.of(0, 2, 0, 1, 2),
  data: Int8Array.of(1, 2, 3, 4, 5),
};
const wide = Int32Array.from(matrix.indices);

test('matrices without rows, without columns, and with nonzeros have no fault', () => {
  const none = { indices: new Uint16Array(0), data: new Int8Array(0) };
  expect(csrFault({ shape: [0, 4], indptr: Int32Array.of(0), ...none })).toBeUndefined();
  expect(csrFault({ shape: [2, 0], indptr: Int32Array.of(0, 0, 0), ...none })).toBeUndefined();
  expect(csrFault(matrix)).toBeUndefined();
});

test.each<[string, Partial<Record<keyof CsrMatrix, unknown>>, string]>([
  ['shape-of-rank-3', { shape: [3, 4, 1] }, 'form: not a matrix, got shape [3, 4, 1], wanted [rows, columns]'],
  ['shape-fraction', { shape: [3, 4.5] }, 'form: not a matrix, got shape [3, 4.5], wanted [rows, columns]'],
  ['shape-negative', { shape: [-1, 4] }, 'form: not a matrix, got shape [-1, 4], wanted [rows, columns]'],
  [
    'no-indptr',
    { indptr: undefined },
    'form: indptr does not fit the matrix, got undefined of undefined, wanted Int32Array of 4',
  ],
  [
    'indptr-of-floats',
    { indptr: Float64Array.of(0, 2, 2, 5) },
    'form: indptr does not fit the matrix, got Float64Array of 4, wanted Int32Array of 4',
  ],
  [
    'indptr-short',
    { indptr: Int32Array.of(0, 2, 5) },
    'form: indptr does not fit the matrix, got Int32Array of 3, wanted Int32Array of 4',
  ],
  [
    'data-of-floats',
    { data: new Float32Array(5).fill(1) },
    'form: data does not fit the matrix, got Float32Array of 5, wanted Int8Array of 5',
  ],
  [
    'data-short',
    { data: Int8Array.of(1, 2, 3, 4) },
    'form: data does not fit the matrix, got Int8Array of 4, wanted Int8Array of 5',
  ],
  [
    'no-data',
    { data: undefined },
    'form: data does not fit the matrix, got undefined of undefined, wanted Int8Array of 5',
  ],
  [
    'indices-long',
    { indices: new Uint16Array(6) },
    'form: indices does not fit the matrix, got Uint16Array of 6, wanted Uint16Array of 5',
  ],
  [
    'indices-of-a-wide-matrix',
    { indices: wide },
    'form: indices does not fit the matrix, got Int32Array of 5, wanted Uint16Array of 5',
  ],
  [
    'indices-of-a-narrow-matrix',
    { shape: [3, 65_536] },
    'form: indices does not fit the matrix, got Uint16Array of 5, wanted Int32Array of 5',
  ],
  [
    'indptr-ends-early',
    { indptr: Int32Array.of(0, 2, 2, 4) },
    'nnz: indptr[3] is not the number of nonzeros, got 4, wanted 5',
  ],
  [
    'indptr-ends-late',
    { indptr: Int32Array.of(0, 2, 2, 6) },
    'nnz: indptr[3] is not the number of nonzeros, got 6, wanted 5',
  ],
  [
    'indptr-starts-late',
    { indptr: Int32Array.of(1, 2, 2, 5) },
    'contents: indptr[0] is not the start, got 1, wanted 0',
  ],
  ['indptr-falls', { indptr: Int32Array.of(0, 2, 1, 5) }, 'contents: indptr[2] falls, got 1, wanted at least 2'],
  ['indptr-negative', { indptr: Int32Array.of(0, -1, 2, 5) }, 'contents: indptr[1] falls, got -1, wanted at least 0'],
  [
    'indptr-past-nnz',
    { indptr: Int32Array.of(0, 6, 6, 5) },
    'contents: indptr[1] exceeds nnz, got 6, wanted at most 5',
  ],
  [
    'column-twice',
    { indices: Uint16Array.of(0, 2, 0, 0, 2) },
    'contents: indices[3] does not ascend in row 2, got 0, wanted more than 0',
  ],
  [
    'column-outside',
    { indices: Uint16Array.of(0, 4, 0, 1, 2) },
    'contents: indices[1] is no column, got 4, wanted less than 4',
  ],
  ['stored-zero', { data: Int8Array.of(1, 2, 3, 0, 5) }, 'contents: data[3] is a stored zero, got 0, wanted a nonzero'],
])('%s', (_edge, change, message) => {
  const fault = csrFault({ ...matrix, ...change } as CsrMatrix);
  expect(fault && `${fault.kind}: ${fault.what}, got ${fault.got}, wanted ${fault.wanted}`).toBe(message);
});

test.each<[string, CsrTolerance, Partial<CsrMatrix>]>([
  ['stored zeros', { storedZeros: true }, { data: new Int8Array(5) }],
  ['int32 indices of a narrow matrix', { anyIndices: true }, { indices: wide }],
  ['uint16 indices of a wide matrix', { anyIndices: true }, { shape: [3, 65_536] }],
])('tolerated only when asked for: %s', (_what, tolerance, change) => {
  expect(csrFault({ ...matrix, ...change }, tolerance)).toBeUndefined();
  expect(csrFault({ ...matrix, ...change })).toBeDefined();
});

test('indices of any kind are still integers inside the matrix', () => {
  const floats = Float32Array.from(matrix.indices) as unknown as Int32Array;
  expect(csrFault({ ...matrix, indices: floats }, { anyIndices: true })).toMatchObject({
    kind: 'form',
    wanted: 'Uint16Array or Int32Array of 5',
  });
  const negative = Int32Array.of(-1, 2, 0, 1, 2);
  expect(csrFault({ ...matrix, indices: negative }, { anyIndices: true })).toMatchObject({ kind: 'contents', got: -1 });
});
