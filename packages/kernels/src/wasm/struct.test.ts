import { expect, test } from 'vitest';
import { struct } from './struct.js';

test('no field', () => {
  expect(struct({})).toEqual({ at: 0, bytes: 0, fields: {} });
});

test('fields follow one another, whatever their sizes', () => {
  const inner = struct({ a: 'u16', b: ['i8', 3] });
  expect(inner).toEqual({ at: 0, bytes: 5, fields: { a: { at: 0, type: 'u16' }, b: { at: 2, type: ['i8', 3] } } });
  const outer = struct({ first: 'i8', many: [inner, 4], last: 'f32x4' });
  expect([outer.fields.many.at, outer.fields.last.at, outer.bytes]).toEqual([1, 21, 37]);
});

test('an address, fields at multiples, a size that is rounded up', () => {
  const { at, bytes, fields } = struct({ a: 'i32', b: ['i32', 5], c: 'bool' }, { at: 1000, align: 16, multiple: 64 });
  expect([at, fields.a.at, fields.b.at, fields.c.at, bytes]).toEqual([1000, 1000, 1016, 1048, 64]);
});
