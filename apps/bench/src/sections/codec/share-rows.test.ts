import { encodeCsr } from '@prune/sparse-codec';
import { expect, it } from 'vitest';
import { shareRows } from './share-rows.js';

function matrixOf(rows: number, columns: number) {
  const counts = Array.from({ length: rows }, (_, r) => (r * 7) % columns);
  const indptr = Int32Array.from([0, ...counts].map((_, r) => counts.slice(0, r).reduce((sum, n) => sum + n, 0)));
  const indices = Uint16Array.from(counts.flatMap((count) => Array.from({ length: count }, (_, c) => c)));
  return { shape: [rows, columns] as const, indptr, indices, data: Int8Array.from(indices, (c) => (c % 127) + 1) };
}

it.each([
  ['no rows', 0],
  ['one block', 20],
  ['several blocks', 700],
])('%s: the shares are the matrix, whatever their number', (_, rows) => {
  const matrix = matrixOf(rows, 120);
  const stream = encodeCsr(matrix);
  for (const shares of [1, 2, 3, 7]) {
    const parts = Array.from({ length: shares }, (_, share) => shareRows(stream, share, shares));
    expect(parts.reduce((sum, { shape }) => sum + shape[0], 0)).toBe(rows);
    expect(parts.flatMap(({ indices }) => [...indices])).toEqual([...matrix.indices]);
    expect(parts.flatMap(({ data }) => [...data])).toEqual([...matrix.data]);
  }
});
