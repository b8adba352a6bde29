import { expect, test } from 'vitest';
import { memorySink, randomAccess } from './byte-source.js';

test('an empty source', async () => {
  const source = randomAccess(new Uint8Array(0), 'empty');
  expect(source.size).toBe(0);
  expect(await source.read(0, 0)).toEqual(new Uint8Array(0));
  await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'truncated', where: 'empty' });
});

test('a view is read relative to its own start', async () => {
  const source = randomAccess(Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4));
  expect([...(await source.read(1, 2))]).toEqual([2, 3]);
  await expect(source.read(2, 2)).rejects.toMatchObject({ code: 'truncated' });
  await expect(source.read(-1, 1)).rejects.toMatchObject({ code: 'truncated' });
  await expect(source.read(0, Number.NaN)).rejects.toMatchObject({ code: 'truncated' });
});

test('a source that returns less than asked is caught', async () => {
  const source = randomAccess({ name: 'short', size: 10, read: async () => new Uint8Array(3) });
  await expect(source.read(0, 4)).rejects.toMatchObject({ code: 'truncated', got: 3, wanted: 4 });
});

test('ranges of a source without readRanges: neighbours are read together, as views of their own ranges', async () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i % 251);
  const reads: number[][] = [];
  const source = randomAccess({
    size: bytes.length,
    async read(offset, length) {
      reads.push([offset, length]);
      return bytes.slice(offset, offset + length);
    },
  });
  expect(await source.readRanges([])).toEqual([]);
  const ranges = [
    [0, 0],
    [0, 3],
    [100, 101],
    [10_000, 10_002],
    [19_999, 20_000],
  ] as const;
  expect(await source.readRanges(ranges)).toEqual(ranges.map(([start, end]) => bytes.slice(start, end)));
  expect(reads).toEqual([
    [0, 101],
    [10_000, 2],
    [19_999, 1],
  ]);
  await expect(source.readRanges([[19_999, 20_001]])).rejects.toMatchObject({ code: 'truncated' });
  await expect(source.readRanges([[3, 2]])).rejects.toMatchObject({ code: 'truncated' });
  await expect(source.readRanges([[0, 1]], AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
});

test('a long run of neighbours is read 1 MiB at a time', async () => {
  const lengths: number[] = [];
  const read = async (_offset: number, length: number) => {
    lengths.push(length);
    return new Uint8Array(length);
  };
  const ranges = Array.from({ length: 3000 }, (_, i) => [1000 * i, 1000 * (i + 1)] as const);
  expect(await randomAccess({ size: 3_000_000, read }).readRanges(ranges)).toHaveLength(3000);
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(3_000_000);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(2 ** 20);
});

test('ranges of a source that reads several: each is checked', async () => {
  const asked: unknown[] = [];
  const answers = [[new Uint8Array(2), new Uint8Array(3)], [new Uint8Array(2), new Uint8Array(4)], [new Uint8Array(2)]];
  const source = randomAccess({
    name: 'far',
    size: 10,
    read: async () => new Uint8Array(0),
    readRanges: async (ranges, signal) => {
      asked.push([ranges, signal]);
      return answers.shift()!;
    },
  });
  const ranges = [
    [0, 2],
    [4, 7],
  ] as const;
  const { signal } = new AbortController();
  expect(await source.readRanges(ranges, signal)).toHaveLength(2);
  expect(asked).toEqual([[ranges, signal]]);
  await expect(source.readRanges(ranges)).rejects.toMatchObject({ code: 'truncated', where: 'far', got: 4, wanted: 3 });
  await expect(source.readRanges(ranges)).rejects.toMatchObject({ code: 'truncated', where: 'far', got: 0, wanted: 3 });
});

test.each([
  ['path', 'model.prune', '"model.prune"'],
  ['promise', Promise.resolve(new Uint8Array(3)), '[object Promise]'],
  ['array-buffer', new ArrayBuffer(3), '[object ArrayBuffer]'],
  ['nothing', undefined, '[object Undefined]'],
])('what is not a source: %s', (_case, source, got) => {
  const code = 'invalid-argument';
  expect(() => randomAccess(source as unknown as Uint8Array)).toThrow(expect.objectContaining({ code, got }));
});

test('a memory sink grows, patches its header and copies what it is given', async () => {
  const sink = memorySink();
  const chunk = new Uint8Array(50_000).fill(7);
  await sink.write(Uint8Array.of(0, 0));
  await sink.write(chunk);
  chunk.fill(8);
  await sink.write(chunk);
  await sink.writeAt(0, Uint8Array.of(1, 2));
  const bytes = sink.bytes();
  expect([bytes.length, bytes[0], bytes[1], bytes[2], bytes[50_002]]).toEqual([100_002, 1, 2, 7, 8]);
  await expect(sink.writeAt(100_000, new Uint8Array(3))).rejects.toThrow(RangeError);
});
