import { codeOf, WRONG_ARGUMENTS } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { answer, bertConfig, classify, classifyTokens, compareModels, embed, loadModel } from '../src/index.js';
import { evaluateSquad, normalizeAnswer, scoreAnswer } from '../src/squad.js';

const any = (value: unknown) => value as never;
const squad = { version: 1, examples: [] } as const;

const CALLS: Record<string, (value: unknown) => unknown> = {
  loadModel: (value) => loadModel(any(value)),
  embed: (value) => embed(any(value), 'a'),
  'embed, an array': (value) => embed(any(value), []),
  classify: (value) => classify(any(value), 'a'),
  classifyTokens: (value) => classifyTokens(any(value), 'a'),
  answer: (value) => answer(any(value), { question: 'a', context: 'a' }),
  compareModels: (value) => compareModels(any(value), any(value)),
  evaluateSquad: (value) => evaluateSquad(any(value), new Map()),
  'evaluateSquad, predictions': (value) => evaluateSquad(squad, any(value)),
};

describe.each(Object.entries(CALLS))('%s', (_, call) => {
  test.each(Object.entries(WRONG_ARGUMENTS))('of %s: invalid-argument', async (_, value) => {
    expect(await codeOf(() => call(value))).toBe('invalid-argument');
  });
});

test.each(['nothing', 'null', 'an array'])('%s in place of a text or a config: invalid-argument', async (name) => {
  const value = any(WRONG_ARGUMENTS[name]);
  for (const call of [() => normalizeAnswer(value), () => scoreAnswer(value, [], 1), () => bertConfig(value)]) {
    expect(await codeOf(call)).toBe('invalid-argument');
  }
});

test('a model that is not awaited: the message says so', async () => {
  await expect(embed(any(Promise.resolve({})), 'a')).rejects.toThrow(
    'embed: model, got [object Promise], wanted what loadModel gives, awaited',
  );
});
