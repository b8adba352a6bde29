import { expect, test } from 'vitest';
import { lookup3 } from './lookup3.js';

const text = (value: string) => new TextEncoder().encode(value);

test('the empty input and the vectors of lookup3.c', () => {
  expect(lookup3(new Uint8Array())).toBe(0xdeadbeef);
  expect(lookup3(text('Four score and seven years ago'))).toBe(0x17770551);
});

test('a view is hashed from its own offset, and every length of the tail counts', () => {
  const bytes = text('xFour score and seven years ago').subarray(1);
  expect(lookup3(bytes)).toBe(0x17770551);
  const hashes = Array.from({ length: 31 }, (_, length) => lookup3(bytes.subarray(0, length)));
  expect(new Set(hashes).size).toBe(31);
});
