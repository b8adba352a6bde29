import type { CsrMatrix } from '@prune/core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyMatrix, csrOf, prunedMatrix, randomOf } from './csr.fixture.js';
import { decodeCsr } from './decode-csr.js';
import { encodeCsr, type Preset } from './encode-csr.js';
import { openCsr } from './open-csr.js';

const PRESETS: readonly Preset[] = ['fast', 'max'];

function parts({ shape, indptr, indices, data }: CsrMatrix) {
  return { shape: [...shape], indptr, indices, data };
}

describe.each(PRESETS)('preset %s', (preset) => {
  const roundTrip = (matrix: CsrMatrix) => {
    const bytes = encodeCsr(matrix, { preset });
    expect(parts(decodeCsr(bytes))).toEqual(parts(matrix));
    return bytes;
  };

  test('the empty matrix, no rows, no columns, all zero', () => {
    expect(roundTrip(csrOf([], 0)).length).toBe(4);
    roundTrip(csrOf([], 5));
    roundTrip(csrOf([[], [], []], 0));
    expect(roundTrip(prunedMatrix(64, 64, 0, 1)).length).toBeLessThan(80);
  });

  test('every value, every edge of a column', () => {
    roundTrip(csrOf([[-128]]));
    roundTrip(csrOf([Array.from({ length: 256 }, (_, i) => i - 128)]));
    roundTrip(csrOf(Array.from({ length: 256 }, (_, i) => [i - 128])));
    roundTrip(csrOf([[1, 0, 0, 0, 0, 0, 0, 1]]));
    roundTrip(csrOf([[0, 0, 0, 0, 1, 0, 0, 0]]));
  });

  test('any small matrix', () => {
    fc.assert(
      fc.property(anyMatrix, (matrix) => {
        expect(parts(decodeCsr(encodeCsr(matrix, { preset })))).toEqual(parts(matrix));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['one-row', 1, 3001, 0.1],
    ['one-column', 3001, 1, 0.1],
    ['full', 97, 131, 10],
    ['nearly-empty', 499, 503, 0.0005],
    ['many-blocks', 701, 709, 0.3],
    ['widest-modelled', 3, 65_535, 0.01],
    ['indices-of-32-bits', 3, 65_536, 0.01],
  ])('%s', (_, rows, columns, density) => {
    roundTrip(prunedMatrix(rows, columns, density, 7));
  });

  test('a full row above empty ones, one full column', () => {
    const columns = 300;
    roundTrip(csrOf([Array(columns).fill(5), ...Array.from({ length: 200 }, () => Array(columns).fill(0))]));
    roundTrip(
      csrOf(
        Array.from({ length: 300 }, (_, r) =>
          Array.from({ length: columns }, (_, c) => (c === 77 ? r - 128 || 1 : 0)).map((v) => Math.min(v, 127)),
        ),
      ),
    );
  });

  test('rows that differ by four orders of magnitude in density', () => {
    const dense = Array.from({ length: 400 }, (_, r) =>
      Array.from({ length: 4000 }, (_, c) => ((r < 3 ? c % 2 === 0 : c === r * 7) ? 1 + (c % 100) : 0)),
    );
    roundTrip(csrOf(dense));
  });

  test('views with a byteOffset', () => {
    const matrix = prunedMatrix(50, 60, 0.2, 3);
    const bytes = encodeCsr(matrix, { preset });
    const padded = new Uint8Array(bytes.length + 1);
    padded.set(bytes, 1);
    expect(parts(decodeCsr(padded.subarray(1)))).toEqual(parts(matrix));
  });

  test('the same bytes twice', () => {
    const matrix = prunedMatrix(100, 100, 0.1, 5);
    expect(encodeCsr(matrix, { preset })).toEqual(encodeCsr(matrix, { preset }));
  });

  test('rows alone, and one after the other', () => {
    const matrix = prunedMatrix(300, 400, 0.4, 11);
    const stream = openCsr(encodeCsr(matrix, { preset }));
    expect(stream.blocks.length).toBeGreaterThan(1);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 300 }), (a, b) => {
        const [from, to] = a < b ? [a, b] : [b, a];
        const own = stream.decodeRows(from, to);
        const [start, end] = [matrix.indptr[from], matrix.indptr[to]];
        expect(parts(own)).toEqual({
          shape: [to - from, 400],
          indptr: matrix.indptr.slice(from, to + 1).map((p) => p - start),
          indices: matrix.indices.slice(start, end),
          data: matrix.data.slice(start, end),
        });
        let next = from;
        stream.forEachRow(
          (row, indices, data, s, e) => {
            expect(row).toBe(next++);
            expect(indices.slice(s, e)).toEqual(matrix.indices.slice(matrix.indptr[row], matrix.indptr[row + 1]));
            expect(data.slice(s, e)).toEqual(matrix.data.slice(matrix.indptr[row], matrix.indptr[row + 1]));
          },
          from,
          to,
        );
        expect(next).toBe(to);
      }),
      { numRuns: 8 },
    );
    for (const [from, to] of [
      [-1, 3],
      [3, 2],
      [0, 301],
      [0.5, 2],
    ]) {
      expect(() => stream.decodeRows(from, to)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    }
  });
});

test('a block needs the head and its own bytes: the rest may be anything, the order too', () => {
  const matrix = prunedMatrix(900, 500, 0.4, 12);
  const random = randomOf(13);
  for (const preset of PRESETS) {
    const bytes = encodeCsr(matrix, { preset });
    const { blocks } = openCsr(bytes);
    expect(blocks.length).toBeGreaterThan(1);
    const sizes = blocks.map(({ maskBytes, valueBytes }) => maskBytes + valueBytes);
    const head = bytes.length - sizes.reduce((sum, size) => sum + size, 0);
    const order = blocks.map((_, i) => i).sort(() => random() - 0.5);
    const decoded = order.map((i) => {
      const at = sizes.slice(0, i).reduce((sum, size) => sum + size, head);
      const alone = bytes.map((byte, p) => (p < head || (p >= at && p < at + sizes[i]) ? byte : 256 * random()));
      return { i, own: openCsr(alone).decodeRows(blocks[i].from, blocks[i].to) };
    });
    const joined = decoded.sort((a, b) => a.i - b.i).map(({ own }) => own);
    expect(joined.flatMap(({ indices }) => [...indices])).toEqual([...matrix.indices]);
    expect(joined.flatMap(({ data }) => [...data])).toEqual([...matrix.data]);
    const counts = joined.flatMap(({ indptr }) => [...indptr.subarray(1)].map((end, r) => end - indptr[r]));
    expect(counts).toEqual([...matrix.indptr.subarray(1)].map((end, r) => end - matrix.indptr[r]));
  }
});

test('int32 indices of a narrow matrix give the same bytes', () => {
  const matrix = prunedMatrix(20, 30, 0.2, 7);
  expect(encodeCsr({ ...matrix, indices: Int32Array.from(matrix.indices) })).toEqual(encodeCsr(matrix));
});

test('arrays that are no CSR matrix are refused', () => {
  const good = csrOf([
    [1, 2, 0],
    [0, 0, 3],
  ]);
  const bad: Partial<CsrMatrix>[] = [
    { shape: [2, 2] },
    { shape: [-1, 3] },
    { shape: [2.5, 3] },
    { indptr: Int32Array.of(0, 2) },
    { indptr: Int32Array.of(0, 4, 3) },
    { indptr: Int32Array.of(1, 2, 3) },
    { indptr: Int32Array.of(0, 2, 2) },
    { indices: Uint16Array.of(1, 0, 2) },
    { indices: Uint16Array.of(0, 0, 2) },
    { indices: Uint16Array.of(0, 1) },
    { data: Int8Array.of(1, 0, 3) },
    { data: Float32Array.of(1, 2, 3) as never },
  ];
  for (const change of bad) {
    expect(() => encodeCsr({ ...good, ...change })).toThrow(expect.objectContaining({ code: 'mismatch' }));
  }
  expect(() => encodeCsr(good, { preset: 'best' as Preset })).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }),
  );
});
