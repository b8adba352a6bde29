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
