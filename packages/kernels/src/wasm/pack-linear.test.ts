import type { CsrMatrix, CsrRows, RowVisitor } from '@prune/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PACK_MODES } from '../../test/pack-modes.js';
import { random, randomCsr } from '../../test/random-encoder.js';
import { LANES, ROW_HEADER } from './layout.js';
import { type PackMode, packLinear } from './pack-linear.js';

const FUZZ = Number(process.env.PRUNE_FUZZ ?? 1);

/** The dense matrix of a stream, read as the kernels do, everything checked that they rely on. */
function unpack(packed: ReturnType<typeof packLinear>, { profile, dot4 }: PackMode): Int32Array {
  const split = !dot4 && profile !== 'fbgemm';
  const { stream, starts, rows, columns, blocks, blockColumns, chunks, chunkRows } = packed;
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  expect(blocks).toBeGreaterThan(0);
  for (const number of [blockColumns, chunks, chunkRows]) expect(number).toBeGreaterThanOrEqual(0);
  const dense = new Int32Array(rows * columns);
  for (let block = 0; block < blocks; block++) {
    const take = (row: number, offset: number, weight: number, sign: number) => {
      expect(offset % LANES).toBe(0);
      expect(offset / LANES).toBeLessThan(Math.min(blockColumns, columns));
      if (weight !== 0) dense[row * columns + block * blockColumns + offset / LANES] += sign * weight;
    };
    const seen = new Set<number>();
    for (let chunk = 0; chunk < chunks; chunk++) {
      let p = starts[block * chunks + chunk];
      for (let i = 0; i < Math.min(chunkRows, rows - chunk * chunkRows); i++) {
        const row = view.getUint32(p, true);
        // Several blocks: a chunk is the same rows in each, so that one thread adds all of a row up.
        if (blocks > 1) expect(Math.floor(row / chunkRows)).toBe(chunk);
        seen.add(row);
        const [minus, plus] = [view.getUint16(p + 16, true), view.getUint16(p + 18, true)];
        p += ROW_HEADER.bytes;
        if (dot4) {
          expect(minus).toBe(0);
          for (const end = p + 12 * plus; p < end; p += 12) {
            for (let i = 0; i < 4; i++) take(row, view.getUint16(p + 2 * i, true), view.getInt8(p + 8 + i), 1);
          }
          continue;
        }
        for (let group = 0; group < minus + plus; group++) {
          const end = p + 2 + view.getUint16(p, true);
          const sums = { plus: 0, minus: 0 };
          for (p += 2; p < end; p += 6) {
            for (let half = 0; half < 2; half++) {
              const weight = view.getInt8(p + 4 + half);
              take(row, view.getUint16(p + 2 * half, true), weight, group < minus ? -1 : 1);
              if (weight > 0) sums.plus += weight;
              else sums.minus -= weight;
              if (split) expect(weight).toBeGreaterThanOrEqual(0);
            }
          }
          expect(p).toBe(end);
          // The largest sum of 16 bits that any codes can give.
          const largest = split
            ? 128 * sums.plus
            : Math.max(127 * sums.plus, 127 * sums.minus, 64 * (sums.plus + sums.minus));
          expect(largest).toBeLessThan(2 ** 15);
        }
      }
    }
    expect(seen.size).toBe(rows);
  }
  return dense;
}

function check(rows: number, columns: number, density: number, seed: number, mode: PackMode) {
  const weight = randomCsr(random(seed), rows, columns, density);
  const bias = { dtype: 'float32' as const, shape: [rows], data: new Float32Array(rows).fill(3) };
  const packed = packLinear(
    { kind: 'linear', weight, scales: Float64Array.of(0.5), qscheme: 'per_tensor_affine', bias },
    mode,
  );
  const dense = new Int32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let i = weight.indptr[row]; i < weight.indptr[row + 1]; i++)
      dense[row * columns + weight.indices[i]] = weight.data[i];
  }
  expect(unpack(packed, mode)).toEqual(dense);
}

test.each([
  { name: 'empty', rows: 3, columns: 5, density: 0 },
  { name: 'no rows', rows: 0, columns: 31, density: 1 },
  { name: 'no rows, two blocks', rows: 0, columns: 769, density: 1 },
  { name: 'no columns', rows: 17, columns: 0, density: 1 },
  { name: 'one weight', rows: 1, columns: 1, density: 1 },
  { name: 'a full row of a block', rows: 1, columns: 768, density: 1 },
  { name: 'one column past a block', rows: 70, columns: 769, density: 0.2 },
  { name: 'rows that are no multiple of a chunk', rows: 17, columns: 31, density: 0.5 },
  { name: 'four blocks', rows: 9, columns: 3072, density: 0.06 },
])('$name: the stream holds the matrix, and no group can overflow', ({ rows, columns, density }) => {
  for (const mode of PACK_MODES) check(rows, columns, density, 1, mode);
});

test('any matrix', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 900 }),
      fc.constantFrom(0, 0.01, 0.1, 0.5, 1),
      fc.integer(),
      fc.constantFrom(...PACK_MODES),
      (rows, columns, density, seed, mode) => check(rows, columns, density, seed, mode),
    ),
    { numRuns: 20 * FUZZ },
  );
});

describe('a matrix that hands out rows', () => {
  const linear = <M extends CsrMatrix | CsrRows>(weight: M) => ({
    kind: 'linear' as const,
    weight,
    scales: Float64Array.of(0.5),
    qscheme: 'per_tensor_affine' as const,
    bias: null,
  });

  test('gives the stream of its arrays', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.constantFrom(1, 31, 768, 769, 1600),
        fc.constantFrom(0, 0.01, 0.2),
        fc.integer(),
        fc.constantFrom(...PACK_MODES),
        (rows, columns, density, seed, mode) => {
          const matrix = randomCsr(random(seed), rows, columns, density);
          const wanted = packLinear(linear(matrix), mode);
          // The stream is of no use after the next call.
          const stream = wanted.stream.slice();
          const { shape, data, indptr, indices } = matrix;
          // One row at a time in memory that is used again.
          const own = { indices: new Uint16Array(columns + 1), data: new Int8Array(columns + 1) };
          const rowByRow: CsrRows = {
            shape,
            nnz: data.length,
            forEachRow(visit) {
              for (let row = 0; row < rows; row++) {
                const [from, to] = [indptr[row], indptr[row + 1]];
                own.indices.set(indices.subarray(from, to), 1);
                own.data.set(data.subarray(from, to), 1);
                visit(row, own.indices, own.data, 1, 1 + to - from);
              }
            },
          };
          expect(packLinear(linear(rowByRow), mode)).toEqual({ ...wanted, stream });
        },
      ),
      { numRuns: 20 * FUZZ },
    );
  });

  const data = Int8Array.of(1, 2, 3);
  const row = (...columns: number[]): Parameters<RowVisitor> => [0, Int32Array.from(columns), data, 0, columns.length];
  test.each<[string, readonly Parameters<RowVisitor>[], string]>([
    ['no rows', [], 'rows are missing'],
    ['rows out of order', [[1, Uint16Array.of(0), data, 0, 1]], 'rows are not in order'],
    ['a column past the end', [row(769)], 'indices[0] is no column'],
    ['a column past the end behind good ones in each block', [row(5, 768, 769)], 'indices[2] is no column'],
    ['a negative column', [row(-1)], 'indices[0] does not ascend in row 0'],
    ['columns that do not ascend', [row(5, 5)], 'indices[1] does not ascend in row 0'],
    ['columns that fall into the block before', [row(700, 5)], 'indices[1] does not ascend in row 0'],
    ['columns that fall inside the second block', [row(1, 768, 767)], 'indices[2] does not ascend in row 0'],
    ['arrays that end early', [[0, Uint16Array.of(5), data, 0, 2]], 'nonzeros of row 0'],
  ])('%s', (_, rows, what) => {
    const weight: CsrRows = {
      shape: [2, 769],
      nnz: rows.reduce((sum, [, , , start, end]) => sum + end - start, 0),
      forEachRow(visit) {
        for (const row of rows) visit(...row);
        if (rows.length > 0) visit(1, new Uint16Array(0), new Int8Array(0), 0, 0);
      },
    };
    expect(() => packLinear(linear(weight), PACK_MODES[0], 'layer.0.query')).toThrow(
      expect.objectContaining({ code: 'corrupt', where: 'kernels', tensor: 'layer.0.query', what }),
    );
  });
});

test('a source may pack another matrix while it hands out rows', () => {
  const pack = (weight: CsrMatrix | CsrRows) => {
    const linear = {
      kind: 'linear',
      weight,
      scales: Float64Array.of(1),
      qscheme: 'per_tensor_affine',
      bias: null,
    } as const;
    const packed = packLinear(linear, PACK_MODES[0]);
    return { ...packed, stream: packed.stream.slice() };
  };
  const { shape, indptr, indices, data } = randomCsr(random(1), 9, 800, 0.1);
  const other = randomCsr(random(2), 20, 900, 0.2);
  const wanted = [pack({ shape, indptr, indices, data }), pack(other)];
  const inner: ReturnType<typeof pack>[] = [];
  const outer = pack({
    shape,
    nnz: data.length,
    forEachRow(visit) {
      for (let row = 0; row < 9; row++) {
        visit(row, indices, data, indptr[row], indptr[row + 1]);
        if (row === 4) inner.push(pack(other));
      }
    },
  });
  expect([outer, ...inner]).toEqual(wanted);
});

test('weights of -128 alone', () => {
  for (const mode of PACK_MODES) {
    const indices = Uint16Array.from({ length: 7 }, (_, i) => i);
    const weight = { shape: [1, 7] as const, indptr: Int32Array.of(0, 7), indices, data: new Int8Array(7).fill(-128) };
    const packed = packLinear(
      { kind: 'linear', weight, scales: Float64Array.of(1), qscheme: 'per_tensor_affine', bias: null },
      mode,
    );
    expect(unpack(packed, mode)).toEqual(new Int32Array(7).fill(-128));
  }
});
