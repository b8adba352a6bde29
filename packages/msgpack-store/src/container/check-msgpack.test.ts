import fc from 'fast-check';
import { Packr } from 'msgpackr/index-no-eval';
import { expect, test } from 'vitest';
import { checkMsgpack, type MsgpackLimits } from './check-msgpack.js';

const LIMITS: MsgpackLimits = { depth: 8, values: () => 1000 };
const packr = new Packr({ useRecords: false, mapsAsObjects: true, variableMapSize: true });
const check = (bytes: Uint8Array, limits = LIMITS) => checkMsgpack(bytes, limits);
/** A map of one member `a`, whose value is these bytes. */
const holding = (...value: number[]) => Uint8Array.of(0x81, 0xa1, 0x61, ...value);

test('an empty map', () => {
  expect(() => check(Uint8Array.of(0x80))).not.toThrow();
});

test('what msgpackr writes of JSON and bytes is accepted, and cut short anywhere it is not', () => {
  const json = fc
    .dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 8 })
    // A key that is refused, at any depth.
    .filter((value) => !JSON.stringify(value).includes('__proto__'));
  fc.assert(
    fc.property(json, fc.uint8Array({ maxLength: 300 }), (value, bytes) => {
      const packed = new Uint8Array(packr.pack({ ...value, bytes }));
      check(packed, { depth: 8, values: () => 1e6 });
      for (const end of [0, 1, packed.length - 1]) {
        expect(() => check(packed.subarray(0, end))).toThrow(expect.objectContaining({ code: 'corrupt' }));
      }
      const longer = Uint8Array.of(...packed, 0xc0);
      expect(() => check(longer)).toThrow(expect.objectContaining({ code: 'corrupt' }));
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['integer-2^53-1', holding(0xcf, 0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
  ['integer-minus-1-in-8-bytes', holding(0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
  ['float32', holding(0xca, 0, 0, 0, 0)],
])('accepted: %s', (_edge, bytes) => {
  expect(() => check(bytes)).not.toThrow();
});

test.each([
  ['extension-of-one-byte', holding(0xd4, 0x01, 0x00)],
  ['extension-of-any-length', holding(0xc7, 0x00, 0x01)],
  ['timestamp', holding(0xd6, 0xff, 0, 0, 0, 0)],
  ['unused-type', holding(0xc1)],
  ['integer-2^53', holding(0xcf, 0x00, 0x20, 0, 0, 0, 0, 0, 0)],
  ['integer-key', Uint8Array.of(0x81, 0x01, 0xc0)],
  ['key-twice', Uint8Array.of(0x82, 0xa1, 0x61, 0xc0, 0xd9, 0x01, 0x61, 0xc0)],
  ['key-proto', Uint8Array.of(0x81, 0xa9, ...new TextEncoder().encode('__proto__'), 0xc0)],
  ['array-longer-than-the-bytes', holding(0xdd, 0xff, 0xff, 0xff, 0xff)],
  ['map-longer-than-the-bytes', holding(0xdf, 0x80, 0x00, 0x00, 0x00)],
  ['string-longer-than-the-bytes', holding(0xdb, 0xff, 0xff, 0xff, 0xff)],
])('corrupt: %s', (_edge, bytes) => {
  expect(() => check(bytes)).toThrow(expect.objectContaining({ code: 'corrupt' }));
});

test('depth and values are limited, the values of each member alone', () => {
  const nested = (levels: number) => holding(...Array<number>(levels).fill(0x91), 0xc0);
  expect(() => check(nested(7))).not.toThrow();
  expect(() => check(nested(8))).toThrow(expect.objectContaining({ code: 'limit' }));
  const three = packr.pack({ a: [1, 2], b: [1, 2] });
  expect(() => check(three, { depth: 8, values: () => 4 })).not.toThrow();
  const values = (member: string) => (member === 'b' ? 2 : 4);
  expect(() => check(three, { depth: 8, values })).toThrow(expect.objectContaining({ code: 'limit' }));
});
