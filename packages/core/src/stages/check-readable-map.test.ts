import { expect, test } from 'vitest';
import { checkReadableMap } from './check-readable-map.js';

test('a Map, and an object with keys and get', () => {
  expect(checkReadableMap('quant', 'stateDict', new Map())).toBeUndefined();
  expect(checkReadableMap('quant', 'stateDict', { keys: () => [], get: () => undefined })).toBeUndefined();
});

test.each([
  ['a path', 'model'],
  ['nothing', undefined],
  ['null', null],
  ['an array, which has keys alone', []],
  ['a promise', Promise.resolve(new Map())],
  ['an open checkpoint', { tensors: new Map(), metadata: {} }],
])('%s is refused', (_, map) => {
  const wanted = expect.objectContaining({ code: 'invalid-argument', where: 'quant', what: 'stateDict' });
  expect(() => checkReadableMap('quant', 'stateDict', map)).toThrow(wanted);
});
