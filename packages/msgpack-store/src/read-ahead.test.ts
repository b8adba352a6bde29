import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAhead } from './read-ahead.js';

const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => Math.imul(i, 2654435761) >>> 24);

/** A source that notes what is read of it; what reaches `bad` cannot be read. */
function source(bad = Number.POSITIVE_INFINITY) {
  const reads: [offset: number, length: number][] = [];
  return {
    reads,
    size: bytes.length,
    async read(offset: number, length: number) {
      reads.push([offset, length]);
      if (offset + length > bad) throw new Error('bad sector');
      return bytes.slice(offset, offset + length);
    },
  };
}

test('no bytes, and reads here and there, are passed on as they are', async () => {
  const file = source();
  const { read } = readAhead(file, () => file.size);
  const asked: [number, number][] = [
    [500, 0],
    [90, 10],
    [2_000_000, 70],
    [20, 5],
  ];
  for (const [offset, length] of asked)
    expect(await read(offset, length)).toEqual(bytes.slice(offset, offset + length));
  expect(file.reads).toEqual(asked);
});

test('reads that follow each other take few reads of the source, none past the end', async () => {
  const file = source();
  const end = file.size - 100;
  const { read } = readAhead(file, () => end);
  for (let at = 0; at < end; ) {
    const length = Math.min(1 + ((at * 7919) % 50_000), end - at);
    expect(Buffer.compare(await read(at, length), bytes.subarray(at, at + length))).toBe(0);
    at += length;
  }
  expect(file.reads.length).toBeLessThan(20);
  for (const [offset, length] of file.reads) expect(offset + length).toBeLessThanOrEqual(end);
});

test('a read that is larger than a window is one read', async () => {
  const file = source();
  const { read } = readAhead(file, () => file.size);
  await read(0, 1000);
  expect((await read(1000, 2_500_000)).length).toBe(2_500_000);
  expect(file.reads).toEqual([
    [0, 1000],
    [1000, 2_500_000],
  ]);
});

test('what cannot be read ahead fails for the read that asks for it', async () => {
  const file = source(100_000);
  const { read } = readAhead(file, () => file.size);
  for (let at = 0; at < 100_000; at += 10_000) {
    expect(await read(at, 10_000)).toEqual(bytes.slice(at, at + 10_000));
  }
  await expect(read(100_000, 10_000)).rejects.toThrow('bad sector');
});

test('any reads, waited for or not, give their bytes', async () => {
  const step = fc.record({ gap: fc.constantFrom(0, 0, 0, 0, 5, -3000), length: fc.integer({ min: 0, max: 90_000 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, wait) => {
      const { read } = readAhead(source(), () => bytes.length);
      const pending: Promise<void>[] = [];
      let at = 0;
      for (const { gap, length } of steps) {
        const offset = Math.max(0, at + gap);
        at = offset + length;
        const check = read(offset, length).then((got) => {
          expect(Buffer.compare(got, bytes.subarray(offset, offset + length))).toBe(0);
        });
        if (wait) await check;
        pending.push(check);
      }
      await Promise.all(pending);
    }),
    { numRuns: 40 },
  );
});
