import { PruneError } from '@prune/core';
import { expect, test } from 'vitest';
import { nameText } from './name-text.js';

const about = (text: number | undefined) =>
  new PruneError('limit', { where: 'bert-infer', what: 'text is too long', got: 9, wanted: 8, text });

test.each([
  ['an-argument', 0, 1, ['a', 'b'], undefined, 'text 2: text is too long, got 9, wanted 8'],
  ['an-argument-of-the-second-group', 256, 3, Array(300).fill('a'), undefined, 'text 260: '],
  ['the-first-line', 0, 0, [], 'x.txt', 'line 1 of x.txt: '],
  ['a-line-after-arguments', 256, 1, ['a'], '-', 'line 257 of standard input: '],
  ['one-argument', 0, 0, ['a'], undefined, 'bert-infer: text is too long, got 9, wanted 8'],
])('%s', (_, first, text, given, file, message) => {
  const error = about(text);
  const named = nameText(error, first, given, file) as PruneError;
  expect(named.message.startsWith(message)).toBe(true);
  expect(named).toMatchObject({ code: 'limit', text: undefined, cause: error });
});

test('an error about no text, and one of another kind', () => {
  for (const error of [about(undefined), new TypeError('x')]) expect(nameText(error, 0, ['a'], undefined)).toBe(error);
});
