import { fileURLToPath } from 'node:url';
import type { JsonObject, Tensor } from '@prune/core';
import { codeOf, readNpz } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { goldenModel, madeUpVocabulary } from '../../test/golden-model.js';
import { loadModel } from '../model/load-model.js';
import { classify } from './classify.js';
import { classifyTokens } from './classify-tokens.js';
import { embed } from './embed.js';
import { encodeText } from './encode-text.js';

const model = await loadModel(goldenModel('tiny', { files: madeUpVocabulary(997) }));
const heads = readNpz(fileURLToPath(new URL('../../golden/heads.npz', import.meta.url)));

/** A float model of heads.npz, with a vocabulary. */
async function small(name: string, change: JsonObject = {}) {
  const parameters = new Map<string, Tensor>();
  for (const [key, value] of heads) {
    if (key.startsWith(`${name}.p.`)) parameters.set(key.slice(name.length + 3), value as Tensor);
  }
  const config = { ...JSON.parse(heads.get(`${name}.config`) as string), ...change };
  return loadModel(Object.assign(parameters, { metadata: { config, files: madeUpVocabulary(53) } }));
}

describe('embed', () => {
  test('no text', async () => {
    expect(await codeOf(() => embed(model, ' '))).toBe('invalid-argument');
  });
  test('is the mean of the last layer, special tokens included', async () => {
    const vector = await embed(model, 'a b');
    const { data } = (await model.hiddenStates({ input_ids: [[2, 7, 8, 3]], token_type_ids: [[0, 0, 0, 0]] })).at(-1)!;
    const mean = vector.map((_, i) => (data[i] + data[64 + i] + data[128 + i] + data[192 + i]) / 4);
    expect(vector).toEqual(mean);
  });
  test('normalized has length 1 and the same direction', async () => {
    const [plain, unit] = [await embed(model, 'c d'), await embed(model, 'c d', { normalize: true })];
    expect(unit.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 6);
    expect(unit[3] / unit[5]).toBeCloseTo(plain[3] / plain[5], 4);
  });
  test('longer than the model: refused, or cut', async () => {
    const long = 'a '.repeat(127);
    expect(await codeOf(() => embed(model, long))).toBe('limit');
    expect(await embed(model, long, { truncate: true })).toEqual(await embed(model, 'a '.repeat(126)));
  });
});

test('of a pair the longer text is cut', async () => {
  const tokenizer = await model.tokenizer();
  const { sequence } = encodeText(tokenizer, model.config, 'a '.repeat(200), 'b '.repeat(30), { truncate: true });
  expect([sequence.length, sequence.filter((text) => text === 1).length]).toEqual([128, 30]);
});

describe('classify', () => {
  test('labels, best first, adding up to 1', async () => {
    const labels = await classify(await small('bert-sequence'), 'a b', { pair: 'c' });
    expect(labels.map(({ label }) => label).sort()).toEqual(['a', 'b', 'c']);
    expect(labels.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 12);
    expect(labels.map(({ score }) => score)).toEqual(labels.map(({ score }) => score).sort((a, b) => b - a));
  });
  test('labels that do not exclude each other', async () => {
    const multi = await small('bert-sequence', { problem_type: 'multi_label_classification', id2label: undefined });
    const { logits } = await multi.logits(
      { input_ids: [[2, 7, 3]], token_type_ids: [[0, 0, 0]] },
      { head: 'sequence-classification' },
    );
    const scores = new Map((await classify(multi, 'a')).map(({ label, score }) => [label, score]));
    for (const [id, logit] of logits.data.entries()) {
      expect(scores.get(`LABEL_${id}`)).toBeCloseTo(1 / (1 + Math.exp(-logit)), 12);
    }
  });
  test('a model without the head', async () => {
    expect(await codeOf(() => classify(model, 'a'))).toBe('missing');
  });
});

describe('classifyTokens', () => {
  test('each token with its place', async () => {
    const tokens = await classifyTokens(await small('bert-token'), 'A b.');
    expect(tokens.map(({ text, start, end }) => [text, start, end])).toEqual([
      ['A', 0, 1],
      ['b', 2, 3],
      ['.', 3, 4],
    ]);
    expect(tokens.every(({ label }) => 'abc'.includes(label))).toBe(true);
  });
  test('a model without the head', async () => {
    expect(await codeOf(() => classifyTokens(model, 'a'))).toBe('missing');
  });
});
