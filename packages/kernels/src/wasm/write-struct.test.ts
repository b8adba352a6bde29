import { expect, test } from 'vitest';
import { struct } from './struct.js';
import { writeStruct } from './write-struct.js';

const RECORD = struct({ flag: 'bool', words: ['i32', 2], half: 'f32', minus: 'i32', large: 'u32' });

test('numbers go to their fields; what is left out becomes 0; arrays and the bytes around stay', () => {
  const bytes = new Uint8Array(32).fill(0xaa);
  const view = new DataView(bytes.buffer);
  writeStruct(view, 4, RECORD, { flag: true, half: 0.5, large: 0xfffffffe });
  expect(view.getUint32(0, true)).toBe(0xaaaaaaaa);
  expect(view.getInt32(4, true)).toBe(1);
  expect(view.getUint32(8, true)).toBe(0xaaaaaaaa);
  expect(view.getUint32(12, true)).toBe(0xaaaaaaaa);
  expect(view.getFloat32(16, true)).toBe(0.5);
  expect(view.getInt32(20, true)).toBe(0);
  expect(view.getUint32(24, true)).toBe(0xfffffffe);
  expect(view.getUint32(28, true)).toBe(0xaaaaaaaa);
});

test('a struct with an address', () => {
  const view = new DataView(new ArrayBuffer(16));
  writeStruct(view, 0, struct({ a: 'i32', b: 'i32' }, { at: 8 }), { a: -1, b: 2 });
  expect([0, 4, 8, 12].map((at) => view.getInt32(at, true))).toEqual([0, 0, -1, 2]);
});
