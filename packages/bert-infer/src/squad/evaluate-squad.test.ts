import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { isPruneError } from '@prune/core';
import { modelPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { evaluateSquad } from './evaluate-squad.js';
import { normalizeAnswer } from './normalize-answer.js';
import { readSquad, type SquadDataset } from './read-squad.js';
import { scoreAnswer } from './score-answer.js';

interface Golden {
  readonly normalized: [text: string, normalized: string][];
  readonly pairs: { prediction: string; gold: string[]; exact: number; f1_v1: number; f1_v2: number }[];
}

const golden: Golden = JSON.parse(
  gunzipSync(readFileSync(fileURLToPath(new URL('../../golden/squad.json.gz', import.meta.url)))).toString(),
);

test('no questions', async () => {
  expect(await evaluateSquad(readSquad({ data: [] }), new Map())).toEqual({
    exact: 0,
    f1: 0,
    total: 0,
    scores: new Map(),
    unanswered: [],
  });
});

test("answers are normalized as the official script's", () => {
  for (const [text, normalized] of golden.normalized) expect(normalizeAnswer(text).join(' '), text).toBe(normalized);
});

test("every score equals the official scripts' to the last bit", () => {
  for (const { prediction, gold, exact, f1_v1, f1_v2 } of golden.pairs) {
    expect(scoreAnswer(prediction, gold, 1)).toEqual({ exact, f1: f1_v1 });
    expect(scoreAnswer(prediction, gold, 2)).toEqual({ exact, f1: f1_v2 });
  }
});

test("PyTorch's predictions for mini-qa score what accuracy.json says", async () => {
  const read = (name: string) => JSON.parse(readFileSync(modelPath(`mini-qa/${name}`), 'utf8'));
  const dataset = readSquad(read('dev-squad.json'));
  expect(dataset).toMatchObject({ version: 1, examples: { length: 300 } });
  const { results } = read('accuracy.json');
  for (const [engine, answers] of Object.entries<Record<string, string>>(read('dev-predictions.json'))) {
    const { exact, f1 } = await evaluateSquad(dataset, new Map(Object.entries(answers)));
    expect({ exact_match: Number(exact.toFixed(3)), f1: Number(f1.toFixed(3)) }).toEqual(results[`${engine}.dev`]);
  }
});

const two: SquadDataset = {
  version: 2,
  examples: [
    { id: 'yes', question: '', context: '', answers: ['Paris', 'the'] },
    { id: 'no', question: '', context: '', answers: [] },
    { id: 'left out', question: '', context: '', answers: [] },
  ],
};

test('SQuAD 2: no answer is right where there is none; a question that was not answered is left out', async () => {
  expect(await evaluateSquad(two, new Map(Object.entries({ yes: 'in Paris', no: '' })))).toMatchObject({
    exact: 50,
    total: 2,
    hasAnswer: { exact: 0, f1: 100 * (2 / 3), total: 1 },
    noAnswer: { exact: 100, f1: 100, total: 1 },
    unanswered: ['left out'],
  });
});

test('SQuAD 1.1: a question that was not answered is wrong', async () => {
  const one = { ...two, version: 1 as const };
  expect(await evaluateSquad(one, new Map([['yes', 'Paris']]))).toMatchObject({ exact: 100 / 3, total: 3 });
});

test('a prediction that is not a text: the question is named', async () => {
  const predictions = new Map([['yes', 7 as unknown as string]]);
  await expect(evaluateSquad(two, predictions)).rejects.toMatchObject({
    code: 'invalid-argument',
    what: 'prediction of question yes',
  });
});

test.each([
  ['an impossible question', { version: '1.1', is_impossible: true }, 2],
  ['a question without an answer', { version: '1.1', answers: [] }, 2],
  ['a question with null for its answers', { version: '1.1', answers: null }, 2],
  ['version v2.0', { version: 'v2.0', is_impossible: false }, 2],
  ['the number 2.0 as its version', { version: 2.0 }, 2],
  ['the number 1.1 as its version', { version: 1.1 }, 1],
  ['version 1.1', { version: '1.1', is_impossible: false }, 1],
])('the version of a file with %s', (_, { version, ...question }, expected) => {
  const qas = [{ id: '1', question: 'q', answers: [{ text: 'c' }], ...question }];
  expect(readSquad({ version, data: [{ paragraphs: [{ context: 'c', qas }] }] }).version).toBe(expected);
});

test('numbers as ids are strings', () => {
  const qas = [{ id: 1000, question: 'q', answers: [{ text: 'c' }] }];
  expect(readSquad({ data: [{ paragraphs: [{ context: 'c', qas }] }] }).examples[0].id).toBe('1000');
});

test.each([
  null,
  [],
  {},
  { data: 1 },
  { data: [{ paragraphs: [{ context: 'c', qas: [{ id: 1.5, question: 'q', answers: [] }] }] }] },
  { data: [{ paragraphs: [{ context: 'c', qas: [{ id: '1', question: 'q', answers: ['x'] }] }] }] },
])('not a SQuAD file: %j', (json) => {
  let code: unknown;
  try {
    readSquad(json);
  } catch (error) {
    code = isPruneError(error) && error.code;
  }
  expect(code).toBe('corrupt');
});
