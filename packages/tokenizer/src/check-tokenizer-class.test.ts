import { readFileSync } from 'node:fs';
import { isPruneError, type JsonObject } from '@prune/core';
import { modelPath } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { createTokenizer } from './create-tokenizer.js';

const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const vocabulary = ['vocab.txt', new Uint8Array(readFileSync(modelPath('mini-qa/vocab.txt')))] as const;
const whole = ['tokenizer.json', new Uint8Array(readFileSync(modelPath('mini-qa/tokenizer.json')))] as const;

/** What comes out: a tokenizer's number of tokens, or the error's code and what it got. */
function outcome(files: readonly (readonly [string, Uint8Array])[], settings: JsonObject, config: JsonObject = {}) {
  try {
    const all = new Map([...files, ['tokenizer_config.json', bytes(settings)] as const]);
    return createTokenizer(all, { config }).encode('the cat').ids.length;
  } catch (error) {
    if (!isPruneError(error)) throw error;
    return [error.code, error.got];
  }
}

describe('a folder with vocab.txt', () => {
  test.each([{}, { tokenizer_class: 'BertTokenizer' }, { tokenizer_class: 'DistilBertTokenizerFast' }])(
    '%j',
    (settings) => {
      expect(outcome([vocabulary], settings, { tokenizer_class: 'PhobertTokenizer' })).toEqual(
        'tokenizer_class' in settings ? 4 : ['unsupported', 'PhobertTokenizer'],
      );
      expect(outcome([vocabulary], settings)).toBe(4);
    },
  );

  test.each([
    'BertJapaneseTokenizer',
    'HerbertTokenizerFast',
    'PhobertTokenizer',
    'MPNetTokenizer',
    'PreTrainedTokenizerFast',
    'toString',
  ])('%s: unsupported, by its name', (tokenizer_class) => {
    expect(outcome([vocabulary], { tokenizer_class })).toEqual(['unsupported', tokenizer_class]);
    expect(outcome([], { tokenizer_class })).toEqual(['unsupported', tokenizer_class]);
    expect(outcome([vocabulary], {}, { tokenizer_class })).toEqual(['unsupported', tokenizer_class]);
  });

  test('words split by MeCab without a class', () => {
    expect(outcome([vocabulary], { word_tokenizer_type: 'mecab' })).toEqual(['unsupported', 'mecab']);
  });

  test('a class that reads another vocabulary', () => {
    const found = 'vocab.txt, tokenizer_config.json';
    expect(outcome([vocabulary], { tokenizer_class: 'RobertaTokenizer' })).toEqual(['missing', found]);
  });
});

test('tokenizer.json says everything, except for classes of Python code', () => {
  expect(outcome([whole], { tokenizer_class: 'PreTrainedTokenizerFast' })).toBe(4);
  expect(outcome([whole], { tokenizer_class: 'SomebodysTokenizer' })).toBe(4);
  expect(outcome([whole], { tokenizer_class: 'BertJapaneseTokenizer' })).toEqual([
    'unsupported',
    'BertJapaneseTokenizer',
  ]);
});
