import { gunzipSync } from 'node:zlib';
import { Pacer } from '@prune/core';
import fc from 'fast-check';
import { gunzipSync as fflateGunzip } from 'fflate';
import { expect, test, vi } from 'vitest';
import { gunzip } from './gunzip.js';
import { gzip } from './gzip.js';
import { literalDeflate, literalDeflateSize } from './literal-deflate.js';
import { type Segment, segmentOf } from './segment.js';

function compress(segments: readonly Segment[]): Uint8Array {
  return Uint8Array.from(Buffer.concat([...gzip(segments, 9)].map(({ bytes }) => bytes)));
}

/** Bytes of the kinds that tensors give: noise, few values, long runs, text. */
const data = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }),
  fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6000 }).map((values) => Uint8Array.from(values)),
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 1, max: 700 })), { maxLength: 20 })
    .map((runs) => Uint8Array.from(runs.flatMap(([byte, length]) => new Array<number>(length).fill(byte)))),
  fc.lorem({ maxCount: 60, mode: 'sentences' }).map((text) => new TextEncoder().encode(text)),
);

test('nothing is a gzip member too', async () => {
  const bytes = compress([]);
  expect(gunzipSync(bytes)).toHaveLength(0);
  expect(await gunzip(bytes, { length: 0, limit: 0 })).toHaveLength(0);
});

test('zlib, fflate and this package read back what is written, however it was cut into segments', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(data, { maxLength: 4 }), async (parts) => {
      const wanted = Uint8Array.from(Buffer.concat(parts));
      const bytes = compress(parts.map((part) => segmentOf(part)));
      expect(Uint8Array.from(gunzipSync(bytes))).toEqual(wanted);
      expect(fflateGunzip(bytes)).toEqual(wanted);
      expect(await gunzip(bytes, { length: wanted.length, limit: 1 << 20 })).toEqual(wanted);
    }),
    { numRuns: 200 },
  );
});

test('a large segment that is read in pieces has the same bytes as one in memory', () => {
  let state = 1;
  const bytes = Uint8Array.from({ length: (1 << 21) + 77 }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 31;
  });
  const lazy: Segment = { length: bytes.length, read: (start, end) => bytes.slice(start, end) };
  const once = compress([segmentOf(bytes)]);
  expect(once[9]).toBe(255); // the literal coder's mark of the system, not fflate's
  expect(Buffer.compare(once, compress([lazy]))).toBe(0);
  expect(Buffer.compare(gunzipSync(once), bytes)).toBe(0);
});

test('repeats over more than a piece are found, and read back by zlib', () => {
  const bytes = Uint8Array.from({ length: (1 << 21) + 77 }, (_, i) => ((i % 1000) ** 2) >>> 7);
  const packed = compress([segmentOf(bytes.subarray(0, 99)), segmentOf(bytes.subarray(99))]);
  expect(Buffer.compare(gunzipSync(packed), bytes)).toBe(0);
  expect(packed.length).toBeLessThan(bytes.length / 50);
});

test('the size is told without writing', () => {
  fc.assert(
    fc.property(data, (bytes) => {
      const deflater = literalDeflate();
      const written = deflater.segment(bytes).length + deflater.finish().length;
      expect(Math.abs(written - literalDeflateSize(bytes))).toBeLessThanOrEqual(3);
    }),
  );
});

test.each<[string, (bytes: Uint8Array) => Uint8Array, { length?: number; limit?: number }, string]>([
  ['too-short', (bytes) => bytes.subarray(0, 17), {}, 'corrupt'],
  ['header', (bytes) => bytes.fill(0, 3, 4).fill(1, 3, 4), {}, 'corrupt'],
  ['crc', (bytes) => bytes.fill(0, bytes.length - 8, bytes.length - 4), {}, 'corrupt'],
  ['wrong-length', (bytes) => bytes, { length: 99 }, 'corrupt'],
  ['over-the-limit', (bytes) => bytes, { limit: 99 }, 'limit'],
  ['declares-the-impossible', (bytes) => bytes.fill(255, bytes.length - 4), { limit: 2 ** 32 }, 'corrupt'],
  ['cut', (bytes) => Uint8Array.from([...bytes.subarray(0, 20), ...bytes.subarray(-8)]), {}, 'corrupt'],
])('%s is refused', async (_case, damage, options, code) => {
  const bytes = damage(compress([segmentOf(Uint8Array.from({ length: 100 }, (_, i) => i * 7))]));
  await expect(gunzip(bytes, { limit: 1000, ...options })).rejects.toMatchObject({ code });
});

/** Of more than a megabyte: inflated in pieces. */
const large = Uint8Array.from({ length: 1_500_000 }, (_, i) => ((i * i) >>> 9) ^ (i % 7));

test('a large member is inflated in pieces, with pauses', async () => {
  const packed = compress([segmentOf(large)]);
  const pacer = new Pacer();
  const pause = vi.spyOn(pacer, 'pause').mockResolvedValue();
  expect(Buffer.compare(await gunzip(packed, { limit: 2e6, pacer }), large)).toBe(0);
  const sums = Math.ceil(large.length / 2 ** 20);
  expect(pause.mock.calls.length).toBeGreaterThanOrEqual(sums + Math.ceil((packed.length - 18) / 65_536));
});

test.each<[string, (packed: Uint8Array) => Uint8Array]>([
  ['cut', (packed) => Uint8Array.from([...packed.subarray(0, 9000), ...packed.subarray(-8)])],
  ['bad-code', (packed) => packed.fill(255, 9000, 9100)],
  ['longer-than-declared', (packed) => withLength(packed, large.length - 1)],
  ['shorter-than-declared', (packed) => withLength(packed, large.length + 1)],
])('a large member that is %s is refused', async (_case, damage) => {
  const bytes = damage(compress([segmentOf(large)]));
  await expect(gunzip(bytes, { limit: 2e6 })).rejects.toMatchObject({ code: 'corrupt' });
});

function withLength(packed: Uint8Array, length: number): Uint8Array {
  new DataView(packed.buffer, packed.byteOffset).setUint32(packed.length - 4, length, true);
  return packed;
}
