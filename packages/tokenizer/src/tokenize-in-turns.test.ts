import { readFileSync } from 'node:fs';
import { modelPath } from '@prune/fixtures';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTokenizer } from './create-tokenizer.js';

const tokenizer = createTokenizer(new Map([['vocab.txt', readFileSync(modelPath('mini-qa/vocab.txt'))]]));
const long = 'Garden apartments, [MASK] naïve ones, became 𝔭opular. '.repeat(4000);

test('gives what tokenize gives, pieces that end inside a character among them', async () => {
  for (const text of ['', 'a', '𝔭'.repeat(5000), `a${'𝔭'.repeat(5000)}`, long]) {
    // As one text: comparing the arrays of a long one takes seconds.
    const [got, wanted] = [await tokenizer.tokenizeInTurns(text), tokenizer.tokenize(text)].map((x) =>
      JSON.stringify(x),
    );
    expect(got === wanted, text.slice(0, 10)).toBe(true);
  }
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
      expect(await tokenizer.tokenizeInTurns(text)).toEqual(tokenizer.tokenize(text));
    }),
  );
});

test('offsets go on over the pieces of a long text', () => {
  const { starts, ends, ids } = tokenizer.tokenize(`${'x '.repeat(5000)}word`);
  expect([ids.length, starts.at(-1), ends.at(-1)]).toEqual([5001, 10_000, 10_004]);
});

test('lets timers fire, and stops at a signal', async () => {
  const controller = new AbortController();
  let done = false;
  const ticks: boolean[] = [];
  const timer = setInterval(() => ticks.push(done), 1);
  await tokenizer.tokenizeInTurns(long.repeat(3)).finally(() => {
    done = true;
  });
  clearInterval(timer);
  expect(ticks.length).toBeGreaterThan(0);
  setTimeout(() => controller.abort(), 1);
  await expect(tokenizer.tokenizeInTurns(long.repeat(3), controller.signal)).rejects.toMatchObject({ code: 'aborted' });
});
