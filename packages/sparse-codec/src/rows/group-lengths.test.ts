import { expect, test } from 'vitest';
import { randomOf } from '../csr.fixture.js';
import { readLengths, writeLengths } from './group-lengths.js';

const random = randomOf(5);
const around = (middle: number, spread: number) => () => 2 * Math.round(middle + spread * (random() + random() - 1));

/** What comes back of the lengths, and the bytes that they take. */
function roundTrip(lengths: readonly number[]) {
  const { least, bits, bytes } = writeLengths(Uint32Array.from(lengths));
  const starts = readLengths(bytes, lengths.length, least, bits);
  return { back: lengths.map((_, g) => starts[g + 1] - starts[g]), bits, bytes: bytes.length };
}

test.each<[string, number, number[]]>([
  ['one group', 0, [8]],
  ['equal lengths', 0, new Array(1000).fill(46)],
  ['a short last group', 10, [...Array.from({ length: 999 }, around(500, 20)), 8]],
  ['lengths of more bits than the tree', 20, [8, 2 ** 21, 77 * 2 ** 13 + 2, 2 ** 20 + 4098, 12]],
  ['the longest and the shortest', 31, [0, 2 ** 32 - 2, 0, 2 ** 31]],
])('%s', (_, bits, lengths) => {
  const found = roundTrip(lengths);
  expect(found.back).toEqual(lengths);
  expect(found.bits).toBe(bits);
});

test('lengths take about their entropy', () => {
  const lengths = Array.from({ length: 10_000 }, around(430, 20));
  expect(roundTrip(lengths).bytes).toBeLessThan(0.68 * lengths.length);
  expect(roundTrip(new Array(10_000).fill(46)).bytes).toBeLessThan(2);
});

test('bytes left over', () => {
  const { least, bits, bytes } = writeLengths(Uint32Array.of(8, 10, 30, 8));
  const longer = Uint8Array.from([...bytes, 1, 2, 3, 4, 5]);
  expect(() => readLengths(longer, 4, least, bits)).toThrow(expect.objectContaining({ code: 'corrupt' }));
});
