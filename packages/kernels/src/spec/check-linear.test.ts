import type { CsrMatrix } from '@prune/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { random, randomCsr } from '../../test/random-encoder.js';
import { checkLinear } from './check-linear.js';
import type { AnyLinear } from './encoder-spec.js';

const FUZZ = Number(process.env.PRUNE_FUZZ ?? 1);
const place = { tensor: 'layer.0.query' };

function linear(weight: CsrMatrix, scales = Float64Array.of(0.5)): AnyLinear {
  return { kind: 'linear', weight, scales, qscheme: 'per_tensor_affine', bias: null };
}

const good: CsrMatrix = {
  shape: [2, 4],
  indptr: Int32Array.of(0, 2, 3),
  indices: Uint16Array.of(0, 3, 1),
  data: Int8Array.of(1, -2, 3),
};

test('a matrix without nonzeros, and a good one', () => {
  const empty: CsrMatrix = {
    shape: [1, 1],
    indptr: new Int32Array(2),
    indices: new Uint16Array(0),
    data: new Int8Array(0),
  };
  expect(checkLinear(linear(empty), undefined, undefined, place)).toEqual([1, 1]);
  expect(checkLinear(linear(good), 2, 4, place)).toEqual([2, 4]);
});

test('stored zeros, and int32 indices of a narrow matrix, are computed with', () => {
  const weight = { ...good, data: new Int8Array(3), indices: Int32Array.from(good.indices) };
  expect(checkLinear(linear(weight), 2, 4, place)).toEqual([2, 4]);
});

test('a matrix without rows or columns is taken only where none are wanted', () => {
  const noRows: CsrMatrix = {
    shape: [0, 4],
    indptr: new Int32Array(1),
    indices: new Uint16Array(0),
    data: new Int8Array(0),
  };
  const noColumns: CsrMatrix = { ...noRows, shape: [2, 0], indptr: new Int32Array(3) };
  expect(checkLinear(linear(noRows), 0, 4, place)).toEqual([0, 4]);
  expect(checkLinear(linear(noColumns), 2, 0, place)).toEqual([2, 0]);
  for (const [weight, rows, columns] of [
    [noRows, undefined, 4],
    [noRows, 1, 4],
    [noColumns, 2, undefined],
    [noColumns, 2, 4],
  ] as const) {
    expect(() => checkLinear(linear(weight), rows, columns, place)).toThrow(
      expect.objectContaining({ code: 'mismatch' }),
    );
  }
});

test.each([
  ['mismatch', 'rows', { ...good, shape: [3, 4] as const }],
  ['mismatch', 'shape of no rank', { ...good, shape: [2, 0] as const }],
  ['limit', 'columns', { ...good, shape: [2, 2 ** 17] as const }],
  ['mismatch', 'indices and data', { ...good, indices: Uint16Array.of(0, 3) }],
  ['corrupt', 'indptr ends early', { ...good, indptr: Int32Array.of(0, 2, 2) }],
  ['corrupt', 'indptr starts late', { ...good, indptr: Int32Array.of(1, 2, 3) }],
  ['corrupt', 'indptr falls', { ...good, indptr: Int32Array.of(0, 4, 3) }],
  ['corrupt', 'column past the end', { ...good, indices: Uint16Array.of(0, 4, 1) }],
  ['corrupt', 'negative column', { ...good, indices: Int32Array.of(0, -1, 1) }],
  ['corrupt', 'columns that do not ascend', { ...good, indices: Uint16Array.of(3, 3, 1) }],
])('%s: %s', (code, _name, weight) => {
  expect(() => checkLinear(linear(weight), undefined, undefined, place)).toThrow(
    expect.objectContaining({ code, where: 'kernels', tensor: 'layer.0.query' }),
  );
});

test('scales that are no positive float32', () => {
  for (const scale of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 1e300, 1e-300]) {
    expect(() => checkLinear(linear(good, Float64Array.of(scale)), 2, 4, place)).toThrow(
      expect.objectContaining({ code: 'not-finite' }),
    );
  }
});

test('a mutated matrix is refused or stays inside its bounds', () => {
  const base = randomCsr(random(3), 9, 50, 0.3);
  fc.assert(
    fc.property(
      fc.constantFrom('indptr', 'indices'),
      fc.nat(),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      (part, at, value) => {
        const weight = { ...base, indptr: base.indptr.slice(), indices: Int32Array.from(base.indices) };
        const array = weight[part as 'indptr' | 'indices'];
        array[at % array.length] = value;
        try {
          checkLinear(linear(weight), undefined, undefined, place);
        } catch (error) {
          expect(error).toMatchObject({ code: 'corrupt' });
          return;
        }
        expect(weight.indices.every((column) => column >= 0 && column < 50)).toBe(true);
        expect(weight.indptr.every((end, row) => row === 0 || end >= weight.indptr[row - 1])).toBe(true);
      },
    ),
    { numRuns: 300 * FUZZ },
  );
});
