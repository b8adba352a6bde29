import { readFileSync } from 'node:fs';
import { Pacer } from '@prune/core';
import { modelPath } from '@prune/fixtures';
import { createTokenizer } from '@prune/tokenizer';
import { expect, test } from 'vitest';
import { contextWindows, type WindowOptions } from './context-windows.js';

const tokenizer = createTokenizer(new Map([['vocab.txt', readFileSync(modelPath('mini-qa/vocab.txt'))]]));
const options: WindowOptions = { maxLength: 16, stride: 4, maxQuestionLength: 5 };
const cut = (question: string, context: string, change: Partial<WindowOptions> = {}) =>
  contextWindows(tokenizer, question, context, { ...options, ...change }, new Pacer());
const words = (count: number) => Array.from({ length: count }, (_, i) => 'abcdefghijklmnopqrstuvwxyz'[i]).join(' ');

test.each([
  ['question', '', 'text'],
  ['question', ' \n', 'text'],
  ['context', 'who', ''],
  ['context', 'who', '\u200b'],
])('no %s: %j, %j', async (what, question, context) => {
  await expect(cut(question, context)).rejects.toMatchObject({
    code: 'invalid-argument',
    what: expect.stringContaining(what),
  });
});

test('no room for context', async () => {
  await expect(cut('who is it', 'text', { maxLength: 6 })).rejects.toMatchObject({
    code: 'invalid-argument',
    what: expect.stringContaining('no room'),
  });
});

test.each([
  [1, [[0, 1]]],
  [10, [[0, 10]]],
  [
    11,
    [
      [0, 10],
      [4, 11],
    ],
  ],
  [
    19,
    [
      [0, 10],
      [4, 14],
      [8, 18],
      [12, 19],
    ],
  ],
])('%i tokens of context in windows of 10, 4 apart', async (count, expected) => {
  const windows = await cut('who is it', words(count));
  expect(
    windows.map(({ starts, ends, contextBegin, contextEnd }) => [
      starts[contextBegin] / 2,
      (ends[contextEnd - 1] + 1) / 2,
    ]),
  ).toEqual(expected);
  for (const { ids, typeIds, sequence, contextBegin, contextEnd } of windows) {
    expect([ids[0], ids[contextBegin - 1], ids[contextEnd], ids.length]).toEqual([101, 102, 102, contextEnd + 1]);
    expect(typeIds).toEqual(ids.map((_, i) => (i < contextBegin ? 0 : 1)));
    expect(sequence.slice(contextBegin, contextEnd)).toEqual(Array(contextEnd - contextBegin).fill(1));
  }
});

test('the question is cut to its most tokens', async () => {
  const [{ contextBegin }] = await cut(words(20), 'text');
  expect(contextBegin).toBe(1 + 5 + 1);
});

test('a stride longer than a window skips nothing', async () => {
  const windows = await cut('who', words(26), { stride: 100 });
  expect(windows.map(({ starts, contextBegin }) => starts[contextBegin] / 2)).toEqual([0, 12, 24]);
});
