import type { CsrMatrix } from '@prune/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maskBounds } from './mask-bounds.js';
import { toCsr } from './to-csr.js';
import { valueEntropy } from './value-entropy.js';

const mask = (rows: string[]): CsrMatrix =>
  toCsr({
    shape: [rows.length, rows[0]?.length ?? 0],
    intRepr: Int8Array.from(rows.join(''), (c) => (c === '1' ? 1 : 0)),
  });
const binary = (p: number) => (p <= 0 || p >= 1 ? 0 : -p * Math.log2(p) - (1 - p) * Math.log2(1 - p));

test('nothing costs nothing', () => {
  expect(valueEntropy(new Int8Array(0))).toBe(0);
  for (const empty of [mask([]), mask(['', '']), mask(['000', '000'])]) {
    expect(maskBounds(empty)).toEqual({ independent: 0, rowGaps: 0, rowsAndColumns: 0 });
  }
  expect(maskBounds(mask(['111', '111']))).toEqual({ independent: 0, rowGaps: 0, rowsAndColumns: 0 });
});

test('values: one costs nothing, two alike one bit each, 256 eight', () => {
  expect(valueEntropy(new Int8Array(9).fill(-128))).toBe(0);
  expect(valueEntropy(Int8Array.of(1, -1, 1, -1))).toBe(4);
  expect(valueEntropy(Int8Array.from({ length: 512 }, (_, i) => i))).toBe(512 * 8);
});

test('by hand', () => {
  const bounds = maskBounds(mask(['1100', '0110', '0011', '1001']));
  // Equal margins: every element a fair coin. Gaps: 1 1 | 2 1 | 3 1 | 1 3.
  expect(bounds.independent).toBeCloseTo(16, 9);
  expect(bounds.rowsAndColumns).toBeCloseTo(16, 6);
  expect(bounds.rowGaps).toBeCloseTo(-(5 * Math.log2(5 / 8) + Math.log2(1 / 8) + 2 * Math.log2(2 / 8)), 9);
});

test('margins that leave no choice cost nothing: full and empty lines are taken away, again and again', () => {
  // A staircase has the only mask with its margins.
  for (const rows of [['1111', '1110', '1100', '1000'], ['1111', '0000', '1111'], ['10', '11'], ['1']]) {
    expect(maskBounds(mask(rows)).rowsAndColumns).toBe(0);
  }
  // A full row over two columns of one fair coin each.
  expect(maskBounds(mask(['11', '10', '01'])).rowsAndColumns).toBeCloseTo(4, 6);
});

/** The same model fitted element by element, by gradient ascent on the logarithms of the factors. */
function slowEntropy(rows: string[]): number {
  const n = rows.length;
  const m = rows[0].length;
  const set = rows.map((row) => [...row].map(Number));
  const a = new Float64Array(n);
  const b = new Float64Array(m);
  const p = (i: number, j: number) => 1 / (1 + Math.exp(-(a[i] + b[j])));
  for (let step = 0; step < 20_000; step++) {
    const da = a.map((_, i) => set[i].reduce((sum, bit, j) => sum + bit - p(i, j), 0));
    const db = b.map((_, j) => set.reduce((sum, row, i) => sum + row[j] - p(i, j), 0));
    for (let i = 0; i < n; i++) a[i] += (2 * da[i]) / m;
    for (let j = 0; j < m; j++) b[j] += (2 * db[j]) / n;
  }
  let bits = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) bits += binary(p(i, j));
  return bits;
}

test('rows and columns: equal to a fit of every element', () => {
  const rows = ['0110100', '1000101', '0010110', '1101000', '0011001'];
  expect(maskBounds(mask(rows)).rowsAndColumns).toBeCloseTo(slowEntropy(rows), 4);
});

test('knowing more never costs more, and nothing depends on the order of lines', () => {
  const masks = fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.constantFrom(0.05, 0.3, 0.5, 0.95))
    .chain(([rows, columns, density]) => {
      const bit = fc.double({ min: 0, max: 1, noNaN: true }).map((x) => (x < density ? '1' : '0'));
      const row = fc.array(bit, { minLength: columns, maxLength: columns }).map((bits) => bits.join(''));
      return fc.array(row, { minLength: rows, maxLength: rows });
    });
  fc.assert(
    fc.property(masks, (rows) => {
      const bounds = maskBounds(mask(rows));
      expect(bounds.rowsAndColumns).toBeGreaterThanOrEqual(0);
      expect(bounds.rowsAndColumns).toBeLessThanOrEqual(bounds.independent * (1 + 1e-6) + 1e-6);
      const { rowsAndColumns } = maskBounds(mask([...rows].reverse()));
      expect(Math.abs(rowsAndColumns - bounds.rowsAndColumns)).toBeLessThan(1e-3);
    }),
  );
});
