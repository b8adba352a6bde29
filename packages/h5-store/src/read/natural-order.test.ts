import fc from 'fast-check';
import { expect, test } from 'vitest';
import { naturalOrder } from './natural-order.js';

test('no names, and names with and without numbers', () => {
  expect(naturalOrder([])).toEqual([]);
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
  expect(naturalOrder(names)).toEqual([
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

/** The order by its definition: part by part, numbers as numbers. */
function compareByParts(a: string, b: string): number {
  const [x, y] = [a.match(/\d+|\D/gs) ?? [], b.match(/\d+|\D/gs) ?? []];
  const differs = x.findIndex((part, i) => part !== y[i]);
  if (differs === -1 || y[differs] === undefined) return x.length - y.length;
  const [p, q] = [x[differs], y[differs]];
  if (/\d/.test(p) && /\d/.test(q) && BigInt(p) !== BigInt(q)) return BigInt(p) < BigInt(q) ? -1 : 1;
  return p < q ? -1 : 1;
}

test('it is the order by parts, and loses no name', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '.', ':', '0', '1', '9', '\u0000', '\uffff'), maxLength: 6 });
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 30 }), (names) => {
      expect(naturalOrder(names)).toEqual([...names].sort(compareByParts));
    }),
    { numRuns: 1000 },
  );
});
