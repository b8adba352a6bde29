import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { afterEach, expect, test, vi } from 'vitest';
import { nativeInflate } from './native-inflate.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

const inflate = nativeInflate()!;

test.each([0, 1, 100_000])('%i bytes', async (length) => {
  const bytes = new Uint8Array(randomBytes(length));
  expect(await inflate(deflateRawSync(bytes), length)).toEqual(bytes);
});

test('more bytes than wanted, fewer, and a bad stream', async () => {
  const deflated = deflateRawSync(new Uint8Array(10_000_000));
  await expect(inflate(deflated, 9_999_999)).rejects.toThrow('more than 9999999 bytes');
  // What is too short is found by whoever asked for so many.
  expect((await inflate(deflated, 10_000_001)).length).toBe(10_000_000);
  await expect(inflate(deflated.subarray(0, 100), 10_000_000)).rejects.toThrow();
  await expect(inflate(Uint8Array.of(255, 255, 255), 9)).rejects.toThrow();
});

test('an engine without it', () => {
  vi.stubGlobal('DecompressionStream', undefined);
  expect(nativeInflate()).toBeUndefined();
});
