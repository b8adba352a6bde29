import { readFileSync } from 'node:fs';
import type { JsonParts, ModelFiles } from '@prune/core';
import { modelPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { createTokenizer } from './create-tokenizer.js';
import { loadTokenizer } from './load-tokenizer.js';

const bytesOf = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const lines = readFileSync(modelPath('mini-qa/vocab.txt'));
const whole = JSON.parse(readFileSync(modelPath('mini-qa/tokenizer.json'), 'utf8'));
const cut = bytesOf({ ...whole, model: { ...whole.model, vocab: {} } });

/** Files of which tokenizer.json is there in parts; whoever reads it whole, or another vocabulary, gets `wholeFile`. */
function stored(parts: JsonParts, wholeFile?: Uint8Array, others: Record<string, Uint8Array> = {}): ModelFiles {
  return {
    keys: () => ['vocab.txt', 'tokenizer.json', ...Object.keys(others)],
    get: async (name) => {
      if (others[name] !== undefined) return others[name];
      if (wholeFile === undefined) throw new Error(`${name} was read`);
      return wholeFile;
    },
    parts: async (name) => (name === 'tokenizer.json' ? parts : undefined),
  };
}

test('a tokenizer.json in parts gives the tokens of the whole one, which is not read', async () => {
  const settings = {
    'tokenizer_config.json': bytesOf({ do_lower_case: false }),
    'added_tokens.json': bytesOf({ '[new]': 30522 }),
  };
  const text = "Sandy's Überraschung, 東京 [new] [MASK] unaffable";
  for (const others of [{}, settings]) {
    const inParts = await loadTokenizer(stored({ json: cut, lines }, undefined, others));
    const atOnce = createTokenizer(new Map(Object.entries({ ...others, 'tokenizer.json': bytesOf(whole) })));
    expect(inParts.encode(text, text)).toEqual(atOnce.encode(text, text));
    for (const id of [0, 101, 30521, 30522]) expect(inParts.token(id)).toBe(atOnce.token(id));
  }
});

test('of equal lines the last one counts, as of equal keys in JSON; lines keep their carriage returns', async () => {
  const parts = { json: cut, lines: bytesOf('[UNK]\n[CLS]\n[SEP]\na\na\nb\r\n') };
  const { id } = await loadTokenizer(
    stored({ ...parts, json: bytesOf({ ...JSON.parse(text(cut)), added_tokens: [] }) }),
  );
  expect([id('a'), id('b\r'), id('b')]).toEqual([4, 5, undefined]);
});

test.each<[string, JsonParts]>([
  ['no model', { json: bytesOf({ ...whole, model: null }), lines }],
  ['byte pairs', { json: bytesOf({ ...whole, model: { type: 'BPE', vocab: {}, merges: [] } }), lines }],
  ['another vocabulary that is empty', { json: bytesOf({ ...whole, x: { vocab: {} } }), lines }],
  ['a byte order mark in the first token', { json: cut, lines: bytesOf('\ufeffa\n') }],
])('is read whole: %s', async (_, parts) => {
  const { id } = await loadTokenizer(stored(parts, bytesOf(whole)));
  expect(id('the')).toBe(whole.model.vocab.the);
});

test('corrupt: lines that are not UTF-8, and a text that is not JSON', async () => {
  const load = (parts: JsonParts) => loadTokenizer(stored(parts));
  const where = 'tokenizer.json';
  await expect(load({ json: cut, lines: Uint8Array.of(97, 10, 255, 10) })).rejects.toMatchObject({
    code: 'corrupt',
    where,
  });
  await expect(load({ json: bytesOf('{'), lines })).rejects.toMatchObject({ code: 'corrupt', where });
});

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
