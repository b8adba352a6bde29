import { expect, test } from 'vitest';
import { checkArgument } from './check-argument.js';

const details = { where: 'bert-infer', what: 'text', wanted: 'a text' };

test('an argument that fits passes', () => {
  expect(checkArgument(true, details, 7)).toBeUndefined();
});

test.each([
  ['a "path"', '"a \\"path\\""'],
  [undefined, '[object Undefined]'],
  [null, '[object Null]'],
  [[1], '[object Array]'],
  [Promise.resolve(), '[object Promise]'],
  [{ a: 1 }, '[object Object]'],
])('%j is refused as %s', (argument, got) => {
  const wanted = expect.objectContaining({ code: 'invalid-argument', ...details, got });
  expect(() => checkArgument(false, details, argument)).toThrow(wanted);
});
