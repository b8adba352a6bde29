import { readFileSync } from 'node:fs';
import type { Elementary, Tensor } from '@prune/core';
import { decompose } from '@prune/csr';
import { codeOf, goldenPath, readNpz } from '@prune/fixtures';
import { linearModules, quantizeDynamic } from '@prune/quant';
import { describe, expect, test } from 'vitest';
import { loadModel } from '../src/model/load-model.js';
import { answer } from '../src/qa/answer.js';
import { largestDifference, rowsOf } from './largest-difference.js';
import { readSafetensors } from './read-safetensors.js';

interface Answered {
  readonly question: string;
  readonly context: string;
  readonly ids: number[];
  readonly answer: { readonly start: number; readonly end: number; readonly text: string; readonly score: number };
  readonly noAnswerScore: number;
}

const file = (name: string) => new Uint8Array(readFileSync(goldenPath(`roberta/${name}`)));
const json = (name: string) => JSON.parse(new TextDecoder().decode(file(name)));
const metadata = {
  config: json('config.json'),
  files: new Map(['vocab.json', 'merges.txt', 'tokenizer_config.json'].map((name) => [name, file(name)])),
};
const parameters = Object.assign(readSafetensors(goldenPath('roberta/model.safetensors')), { metadata });
const answers: Answered[] = json('answers.json');
const logits = readNpz(goldenPath('roberta/logits.npz')) as Map<string, Tensor>;
const model = await loadModel(parameters);

describe('a RoBERTa folder against transformers', () => {
  test('logits of a padded batch: names, positions from the padding id on', async () => {
    const [input_ids, attention_mask] = ['input_ids', 'attention_mask'].map((name) => rowsOf(logits.get(name)!));
    const inputs = { input_ids, attention_mask };
    const { start_logits, end_logits } = await model.logits(inputs, {
      head: 'question-answering',
      padding: 'compute',
    });
    const differences = [
      largestDifference(start_logits, logits.get('start_logits')!),
      largestDifference(end_logits, logits.get('end_logits')!),
    ];
    if (process.env.PRUNE_REPORT) console.log('roberta', 'float', differences);
    expect(Math.max(...differences)).toBeLessThanOrEqual(7e-6);
    expect(model.config.maxLength).toBe(192);
  });

  test('the text of a pair to the ids that it was asked with', async () => {
    const tokenizer = await model.tokenizer();
    for (const { question, context, ids } of answers) expect(tokenizer.encode(question, context).ids).toEqual(ids);
  });

  test.each(answers)('$question', async ({ question, context, answer: expected, noAnswerScore }) => {
    const found = await answer(model, { question, context, candidates: 192, noAnswer: true, noAnswerThreshold: 100 });
    expect(found).toMatchObject({ text: expected.text, start: expected.start, end: expected.end, windows: 1 });
    // Measured: at most 2.7e-6, the last bits of float32 sums.
    expect(Math.abs(found.score - expected.score)).toBeLessThan(6e-6);
    expect(Math.abs(found.noAnswerScore! - noAnswerScore)).toBeLessThan(6e-6);
  });

  test('quantized, an answer of windows is a piece of the context', async () => {
    const entries = new Map<string, Elementary>();
    for await (const [name, value] of decompose(
      quantizeDynamic(parameters, linearModules(metadata.config, parameters)),
    )) {
      entries.set(name, value);
    }
    const quantized = await loadModel(Object.assign(entries, { metadata }));
    expect(quantized.profile).toBe('fbgemm');
    const [{ question, context }] = answers;
    const found = await answer(quantized, { question, context: `${context}\n\n`.repeat(4), stride: 40 });
    expect(found.windows).toBeGreaterThan(4);
    expect(found.text).toBe(`${context}\n\n`.repeat(4).slice(found.start, found.end));
    expect(found.text).not.toBe('');
  });

  test('blanks have tokens, but no text to answer with', async () => {
    const { question, context } = answers[0];
    expect(await codeOf(() => answer(model, { question, context: '   ' }))).toBe('invalid-argument');
    expect(await codeOf(() => answer(model, { question: '  ', context }))).toBe('invalid-argument');
    const blanks = await answer(model, { question, context: `a${' '.repeat(60)}b`, nBest: 200, candidates: 200 });
    expect(blanks.nBest.length).toBeGreaterThan(1);
    expect(blanks.nBest.map(({ text }) => text)).not.toContain('');
  });
});
