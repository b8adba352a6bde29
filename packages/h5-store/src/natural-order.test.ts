import fc from 'fast-check';
import { expect, test } from 'vitest';
import { naturalOrder } from './natural-order.js';

test('no names, and names with and without numbers', () => {
  expect([].sort(naturalOrder)).toEqual([]);
  const names = [
    'a.10.x',
    'a.2.x',
    'a',
    '',
    'a.2',
    'a.02.x',
    'b',
    'a.999999999999999999999.x',
    'a.1000000000000000000000.x',
  ];
  expect(names.sort(naturalOrder)).toEqual([
    '',
    'a',
    'a.02.x',
    'a.2',
    'a.2.x',
    'a.10.x',
    'a.999999999999999999999.x',
    'a.1000000000000000000000.x',
    'b',
  ]);
});

test('it is a total order: antisymmetric, transitive, equal only for equal names', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '.', '0', '1', '9'), maxLength: 6 });
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      expect(Math.sign(naturalOrder(a, b))).toBe(-Math.sign(naturalOrder(b, a)) || 0);
      expect(naturalOrder(a, b) === 0).toBe(a === b);
      if (naturalOrder(a, b) < 0 && naturalOrder(b, c) < 0) expect(naturalOrder(a, c)).toBeLessThan(0);
    }),
  );
});
