import { codeOf, WRONG_ARGUMENTS } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { createTokenizer } from './create-tokenizer.js';
import { loadTokenizer } from './load-tokenizer.js';

test.each(Object.entries(WRONG_ARGUMENTS))('files that are %s: invalid-argument', async (name, value) => {
  expect(await codeOf(() => createTokenizer(value as never))).toBe('invalid-argument');
  // A model can come without files.
  const wanted = name === 'nothing' ? 'missing' : 'invalid-argument';
  expect(await codeOf(() => loadTokenizer(value as never))).toBe(wanted);
});
