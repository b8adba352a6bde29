import { fileURLToPath } from 'node:url';
import { type JsonObject, Pacer, type Tensor } from '@prune/core';
import { codeOf, readNpz } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { expectNear } from '../../test/expect-near.js';
import { goldenModel, madeUpVocabulary } from '../../test/golden-model.js';
import { rowsOf } from '../../test/largest-difference.js';
import { PROBABILITIES } from '../../test/probabilities.js';
import type { BertModel } from '../model/bert-model.js';
import { loadModel } from '../model/load-model.js';
import { classify } from './classify.js';
import { classifyTokens } from './classify-tokens.js';
import { embed } from './embed.js';
import { encodeText } from './encode-text.js';

const model = await loadModel(goldenModel('tiny', { files: madeUpVocabulary(997) }));
const heads = readNpz(fileURLToPath(new URL('../../golden/heads.npz', import.meta.url)));

/** What the models of `giving` were called with. */
const asked: unknown[] = [];
/** A model of heads.npz that answers every call with the logits of `rows`, and adds its arguments to `asked`. */
async function giving(name: string, rows: readonly (readonly number[])[], change: JsonObject = {}): Promise<BertModel> {
  const shape = name === 'bert-token' ? [1, rows.length, rows[0].length] : [1, rows[0].length];
  const logits = { dtype: 'float32', shape, data: Float32Array.from(rows.flat()) };
  const model = await small(name, change);
  return {
    ...model,
    logits: (async (...args: unknown[]) => {
      asked.push(args);
      return { logits };
    }) as unknown as BertModel['logits'],
  };
}

/** A vocabulary in which `ids` begin with `[CLS]` and end with `[SEP]`, and a text with the ids between the two. */
function spelling(ids: readonly number[]): { readonly vocabulary: Uint8Array; readonly text: string } {
  const special = new Map([
    [ids[0], '[CLS]'],
    [ids[ids.length - 1], '[SEP]'],
  ]);
  const words = Array.from(
    { length: 53 },
    (_, id) => special.get(id) ?? (id < 2 ? ['[PAD]', '[UNK]'][id] : `word${id}`),
  );
  return {
    vocabulary: new TextEncoder().encode(words.join('\n')),
    text: ids
      .slice(1, -1)
      .map((id) => words[id])
      .join(' '),
  };
}

/** A float model of heads.npz, with a vocabulary. */
async function small(name: string, change: JsonObject = {}, files = madeUpVocabulary(53)) {
  const parameters = new Map<string, Tensor>();
  for (const [key, value] of heads) {
    if (key.startsWith(`${name}.p.`)) parameters.set(key.slice(name.length + 3), value as Tensor);
  }
  const config = { ...JSON.parse(heads.get(`${name}.config`) as string), ...change };
  return loadModel(Object.assign(parameters, { metadata: { config, files } }));
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
    const length = Math.hypot(...plain);
    expect(length).toBeGreaterThan(2);
    expect(unit).toEqual(plain.map((value) => value / length));
  });
  test('longer than the model: refused, or cut', async () => {
    const long = 'a '.repeat(127);
    expect(await codeOf(() => embed(model, long))).toBe('limit');
    expect(await embed(model, long, { truncate: true })).toEqual(await embed(model, 'a '.repeat(126)));
  });
});

test('of a pair the longer text is cut', async () => {
  const tokenizer = await model.tokenizer();
  const [a, b] = ['a '.repeat(200), 'b '.repeat(30)];
  const { sequence } = await encodeText(tokenizer, model.config, a, b, { truncate: true }, new Pacer());
  expect([sequence.length, sequence.filter((text) => text === 1).length]).toEqual([128, 30]);
});

describe('classify', () => {
  test.each(PROBABILITIES.sequences)(
    'labels, best first, of the logits $name',
    async ({ logits, softmax, sigmoid }) => {
      const ranking = [0, 1, 2].sort((a, b) => logits[b] - logits[a]);
      const one = await classify(await giving('bert-sequence', [logits]), 'a');
      expect(one.map(({ label }) => label)).toEqual(ranking.map((id) => 'abc'[id]));
      expectNear(
        one.map(({ score }) => score),
        ranking.map((id) => softmax[id]),
      );
      const change = { problem_type: 'multi_label_classification', id2label: undefined };
      const multi = await classify(await giving('bert-sequence', [logits], change), 'a');
      expect(multi.map(({ label }) => label)).toEqual(ranking.map((id) => `LABEL_${id}`));
      expectNear(
        multi.map(({ score }) => score),
        ranking.map((id) => sigmoid[id]),
      );
    },
  );
  test('one label: its logit', async () => {
    expect(await classify(await giving('bert-sequence', [[-2.5]]), 'a')).toEqual([{ label: 'a', score: -2.5 }]);
  });
  test('asks for a pair as the second text has its own type', async () => {
    asked.length = 0;
    await classify(await giving('bert-sequence', [[1, 2, 3]]), 'a b', { pair: 'c' });
    const inputs = { input_ids: [[2, 7, 8, 3, 9, 3]], token_type_ids: [[0, 0, 0, 0, 1, 1]] };
    expect(asked).toEqual([[inputs, { head: 'sequence-classification' }]]);
  });
  test.each([0, 1, 2])('from text to probabilities: row %i of distilbert-sequence', async (row) => {
    const ids = rowsOf(heads.get('distilbert-sequence.ids') as Tensor)[row];
    const mask = rowsOf(heads.get('distilbert-sequence.mask') as Tensor)[row];
    const { vocabulary, text } = spelling(ids.filter((_, i) => mask[i] === 1));
    const model = await small('distilbert-sequence', {}, new Map([['vocab.txt', vocabulary]]));
    const { logits, softmax } = PROBABILITIES.sequences.find(({ name }) => name === `distilbert-sequence ${row}`)!;
    const ranking = [0, 1, 2].sort((a, b) => logits[b] - logits[a]);
    const labels = await classify(model, text);
    expect(labels.map(({ label }) => label)).toEqual(ranking.map((id) => 'abc'[id]));
    // The logits are PyTorch's but for float32's last bits: at most 6e-7 (golden-heads.test.ts).
    expectNear(
      labels.map(({ score }) => score),
      ranking.map((id) => softmax[id]),
      1e-6,
    );
  });
  test('a model without the head', async () => {
    expect(await codeOf(() => classify(model, 'a'))).toBe('missing');
  });
});

describe('classifyTokens', () => {
  test('each token with its place, its best label and its probability', async () => {
    const { logits, best } = PROBABILITIES.tokens;
    const tokens = await classifyTokens(await giving('bert-token', logits), 'A b. c d e f g h');
    expect(tokens.map(({ text, start, end }) => [text, start, end])).toEqual([
      ['A', 0, 1],
      ['b', 2, 3],
      ['.', 3, 4],
      ...['c', 'd', 'e', 'f', 'g', 'h'].map((letter, i) => [letter, 5 + 2 * i, 6 + 2 * i]),
    ]);
    // The special tokens at both ends get none.
    expect(tokens.map(({ label }) => label).join('')).toBe('bbbacaaab');
    expectNear(
      tokens.map(({ score }) => score),
      best.slice(1, -1).map(({ score }) => score),
    );
  });
  test('asks with the text alone', async () => {
    asked.length = 0;
    await classifyTokens(await giving('bert-token', PROBABILITIES.tokens.logits), 'a b');
    const inputs = { input_ids: [[2, 7, 8, 3]], token_type_ids: [[0, 0, 0, 0]] };
    expect(asked).toEqual([[inputs, { head: 'token-classification' }]]);
  });
  test('a model without the head', async () => {
    expect(await codeOf(() => classifyTokens(model, 'a'))).toBe('missing');
  });
});
