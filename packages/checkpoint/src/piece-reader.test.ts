import { randomAccess } from '@prune/core';
import { expect, test } from 'vitest';
import { pieceReader } from './piece-reader.js';

const BYTES = Uint8Array.from({ length: 100 }, (_, i) => i);

/** A source that fills the scratch memory, a little later, and counts what is under way. */
function slowSource() {
  const source = {
    size: BYTES.length,
    underWay: 0,
    most: 0,
    scratches: new Set<Uint8Array>(),
    async read(offset: number, length: number, scratch?: Uint8Array) {
      source.most = Math.max(source.most, ++source.underWay);
      await new Promise((resolve) => setTimeout(resolve, 1));
      source.underWay--;
      if (offset >= 90) throw new Error('unreadable');
      source.scratches.add(scratch!);
      scratch!.set(BYTES.subarray(offset, offset + length));
      return scratch!.subarray(0, length);
    },
  };
  return source;
}

test('an empty range has no pieces', async () => {
  expect(await pieceReader(slowSource(), 8)(5, 5).next()).toEqual({ done: true, value: undefined });
});

test('pieces of any range, one read ahead, in two pieces of memory at most; of bytes in memory, views', async () => {
  const source = slowSource();
  const read = pieceReader(source, 8);
  for (const [begin, end] of [
    [0, 80],
    [3, 4],
    [7, 50],
  ]) {
    const seen: number[] = [];
    for await (const piece of read(begin, end)) seen.push(...piece);
    expect(seen).toEqual([...BYTES.subarray(begin, end)]);
  }
  expect(source.most).toBe(1);
  expect(source.scratches.size).toBe(2);
  for await (const piece of pieceReader(randomAccess(BYTES), 8)(2, 30)) expect(piece.buffer).toBe(BYTES.buffer);
});

test('a read that fails, fails in its turn; when the caller leaves before, it is waited for', async () => {
  const source = slowSource();
  const seen: number[] = [];
  const all = async () => {
    for await (const piece of pieceReader(source, 8)(74, 98)) seen.push(piece.length);
  };
  await expect(all()).rejects.toThrow('unreadable');
  expect(seen).toEqual([8, 8]);
  for await (const _ of pieceReader(source, 8)(82, 98)) break;
  expect(source.underWay).toBe(0);
});
