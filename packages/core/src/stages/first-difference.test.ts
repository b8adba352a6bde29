import { expect, test } from 'vitest';
import { scalar, tensor } from '../tensors/tensor.js';
import { firstDifference } from './first-difference.js';
import type { Elementary } from './stages.js';

const map = (entries: Record<string, Elementary>) => new Map(Object.entries(entries));
const weight = (last: number) => tensor('float32', [2, 2], Float32Array.of(1, 2, 3, last));

test('two empty state dicts are equal', async () => {
  expect(await firstDifference(new Map(), new Map())).toBeUndefined();
});

test('the same bits in another order of names are equal, NaN included', async () => {
  const equal: string[] = [];
  const a = map({ x: weight(Number.NaN), s: 'torch.qint8' });
  const b = map({ s: 'torch.qint8', x: weight(Number.NaN) });
  expect(await firstDifference(a, b, { onEqual: (name) => equal.push(name) })).toBeUndefined();
  expect(equal).toEqual(['x', 's']);
});

test.each<[string, Elementary, Elementary, string]>([
  ['an element', weight(4), weight(5), 'element [1, 1] is 4, not 5'],
  ['the sign of zero', weight(0), weight(-0), 'element [1, 1] is 0, not -0'],
  ['a dtype', scalar('float32', 1), scalar('float64', 1), 'is float32 [], not float64 []'],
  ['a shape', scalar('float32', 1), tensor('float32', [1], Float32Array.of(1)), 'is float32 [], not float32 [1]'],
  ['a string', 'torch.qint8', 'torch.quint8', 'is "torch.qint8", not "torch.quint8"'],
  ['an int64', scalar('int64', 1n), scalar('int64', 2n), 'element 0 is 1, not 2'],
  ['a string for a tensor', 'x', scalar('int64', 2n), 'is "x", not int64 []'],
])('%s that differs is named', async (_case, a, b, what) => {
  expect(await firstDifference(map({ x: a }), map({ x: b }))).toEqual({ name: 'x', what });
});

test('a name on one side only', async () => {
  expect(await firstDifference(map({ a: 'x' }), new Map())).toEqual({ name: 'a', what: 'is only in the first' });
  expect(await firstDifference(new Map(), map({ a: 'x' }))).toEqual({ name: 'a', what: 'is only in the second' });
});
