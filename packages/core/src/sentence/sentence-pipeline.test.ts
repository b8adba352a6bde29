import { expect, test } from 'vitest';
import type { JsonObject } from '../byte-sources/parse-json.js';
import { PruneError } from '../errors/prune-error.js';
import { isSentenceFile, sentencePipeline } from './sentence-pipeline.js';

const TRANSFORMER = { type: 'sentence_transformers.models.Transformer', path: '' };
const POOLING = { type: 'sentence_transformers.models.Pooling', path: '1_Pooling' };
const pooling = (config: JsonObject, more: JsonObject = {}): JsonObject => ({
  'modules.json': [TRANSFORMER, POOLING],
  '1_Pooling/config.json': config,
  ...more,
});

test('a pooling that names no mode takes the mean, and nothing else is asked for', () => {
  expect(sentencePipeline(pooling({}))).toEqual({
    prompt: '',
    lowercase: false,
    maxTokens: undefined,
    modules: [{ kind: 'pooling', modes: ['mean'] }],
  });
});

test('modes by flags have an order of their own, modes by name that of the list', () => {
  const flags = { pooling_mode_mean_tokens: true, pooling_mode_cls_token: true, pooling_mode_max_tokens: false };
  expect(sentencePipeline(pooling(flags)).modules).toEqual([{ kind: 'pooling', modes: ['cls', 'mean'] }]);
  const named = { pooling_mode: ['mean', 'cls'] };
  expect(sentencePipeline(pooling(named)).modules).toEqual([{ kind: 'pooling', modes: ['mean', 'cls'] }]);
});

test('the prompt that is the default one, lower case and the longest text', () => {
  const prompts = { prompts: { query: 'q: ', other: 'o: ' }, default_prompt_name: 'query' };
  const found = sentencePipeline(
    pooling(
      { pooling_mode: 'cls' },
      {
        'config_sentence_transformers.json': prompts,
        'sentence_bert_config.json': { max_seq_length: 128, do_lower_case: true },
      },
    ),
  );
  expect(found).toMatchObject({ prompt: 'q: ', lowercase: true, maxTokens: 128 });
});

const settings = (value: JsonObject) => pooling({}, { 'sentence_bert_config.json': value });
const prompted = (value: JsonObject) =>
  pooling({ include_prompt: false }, { 'config_sentence_transformers.json': value });
test.each<[string, JsonObject, string, string]>([
  ['no modules.json', {}, 'corrupt', 'modules.json'],
  ['no transformer', { 'modules.json': [POOLING] }, 'unsupported', 'modules.json'],
  ['no pooling', { 'modules.json': [TRANSFORMER] }, 'unsupported', 'modules.json'],
  ['a pooling without its config', { 'modules.json': [TRANSFORMER, POOLING] }, 'missing', '1_Pooling/config.json'],
  ['an unknown pooling', pooling({ pooling_mode: 'attention' }), 'unsupported', '1_Pooling/config.json'],
  ['no pooling by name', pooling({ pooling_mode: [] }), 'unsupported', '1_Pooling/config.json'],
  ['an unknown flag', pooling({ pooling_mode_attention: true }), 'unsupported', '1_Pooling/config.json'],
  ['another task', settings({ transformer_task: 'fill-mask' }), 'unsupported', 'sentence_bert_config.json'],
  ['a length of 0', settings({ max_seq_length: 0 }), 'corrupt', 'sentence_bert_config.json'],
  [
    'a prompt that is not pooled',
    prompted({ prompts: { a: 'a' }, default_prompt_name: 'a' }),
    'unsupported',
    '1_Pooling/config.json',
  ],
  [
    'a prompt that is not there',
    prompted({ default_prompt_name: 'a' }),
    'corrupt',
    'config_sentence_transformers.json',
  ],
])('%s', (_what, files, code, where) => {
  expect(() => sentencePipeline(files)).toThrow(PruneError);
  expect(() => sentencePipeline(files)).toThrow(expect.objectContaining({ code, where }));
});

test('files that may be written', () => {
  const paths = [
    'modules.json',
    '1_Pooling/config.json',
    'Dense/config.json',
    '../config.json',
    'a/b/config.json',
    'x.json',
  ];
  expect(paths.filter(isSentenceFile)).toEqual(['modules.json', '1_Pooling/config.json', 'Dense/config.json']);
});
