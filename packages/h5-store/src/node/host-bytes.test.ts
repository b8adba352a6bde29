import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { hostBytes } from './host-bytes.js';

const folder = mkdtempSync(join(tmpdir(), 'prune-h5-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'bytes');
const bytes = Uint8Array.from({ length: 700_001 }, (_, i) => Math.imul(i, 2654435761) >>> 24);

function open(contents = bytes) {
  writeFileSync(path, contents);
  return hostBytes(path);
}

test('an empty file', () => {
  const { file, close } = open(new Uint8Array());
  expect(file.size).toBe(0);
  expect(file.read(0, 0)).toEqual(new Uint8Array());
  expect(file.borrow(0, 0)).toEqual(new Uint8Array());
  expect(() => file.read(0, 1)).toThrow(RangeError);
  expect(() => file.borrow(0, 1)).toThrow(RangeError);
  close();
  close();
});

test('any bytes, kept and borrowed, across pages and windows', () => {
  const { file, close } = open();
  const anywhere = fc.tuple(fc.boolean(), fc.nat(bytes.length), fc.nat(400_000));
  const kept: [got: Uint8Array, offset: number][] = [];
  fc.assert(
    fc.property(anywhere, ([borrowed, offset, most]) => {
      const length = Math.min(most, bytes.length - offset);
      const got = borrowed ? file.borrow(offset, length) : file.read(offset, length);
      expect(Buffer.compare(got, bytes.subarray(offset, offset + length))).toBe(0);
      if (!borrowed) kept.push([got, offset]);
    }),
    { numRuns: 300 },
  );
  for (const [got, offset] of kept) {
    expect(Buffer.compare(got, bytes.subarray(offset, offset + got.length))).toBe(0);
  }
  expect(() => file.read(bytes.length - 1, 2)).toThrow(RangeError);
  expect(() => file.borrow(-1, 2)).toThrow(RangeError);
  expect(() => file.read(Number.NaN, 2)).toThrow(RangeError);
  close();
});

test('a file that becomes shorter while it is open', () => {
  const { file, close } = open();
  truncateSync(path, 100);
  expect(() => file.read(50_000, 10)).toThrow(RangeError);
  expect(() => file.borrow(50_000, 10)).toThrow(RangeError);
  close();
});
