import { readFileSync } from 'node:fs';
import { isPruneError, type JsonObject } from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { bertConfig } from './bert-config.js';

test('an empty config is BERT-base', () => {
  expect(bertConfig({})).toEqual({
    family: 'bert',
    hiddenSize: 768,
    layers: 12,
    heads: 12,
    prunedHeads: new Map(),
    intermediateSize: 3072,
    vocabSize: 30_522,
    positions: 512,
    firstPosition: 0,
    maxLength: 512,
    typeVocabSize: 2,
    layerNormEps: 1e-12,
    activation: 'gelu',
    labels: [],
    multiLabel: false,
    architectures: [],
  });
});

test('narrow/config.json', () => {
  const json = JSON.parse(readFileSync(goldenPath('narrow/config.json'), 'utf8'));
  expect(bertConfig(json)).toMatchObject({
    hiddenSize: 48,
    layers: 3,
    heads: 3,
    intermediateSize: 200,
    vocabSize: 311,
  });
});

test('DistilBERT and RoBERTa', () => {
  const distil = { model_type: 'distilbert', dim: 8, n_heads: 2, n_layers: 1, hidden_dim: 16, activation: 'relu' };
  expect(bertConfig(distil)).toMatchObject({
    hiddenSize: 8,
    heads: 2,
    layers: 1,
    activation: 'relu',
    typeVocabSize: 0,
  });
  const roberta = { architectures: ['RobertaForQuestionAnswering'], max_position_embeddings: 514, pad_token_id: 1 };
  expect(bertConfig(roberta)).toMatchObject({ family: 'roberta', firstPosition: 2, maxLength: 512 });
});

test.each<[JsonObject, string]>([
  [{ model_type: 'BERT' }, 'bert'],
  [{ model_type: 'masked_bert', architectures: ['RobertaModel'] }, 'bert'],
  [{ architectures: ['MaskedBertForQuestionAnswering'] }, 'bert'],
  [{ architectures: ['BertModel'] }, 'bert'],
  [{ architectures: ['DistilBertForSequenceClassification'] }, 'distilbert'],
  [{ model_type: 'distilbert-base' }, 'distilbert'],
  [{ model_type: 7, architectures: ['RobertaModel'] }, 'roberta'],
])('%j is of the family %s', (json, family) => {
  expect(bertConfig(json).family).toBe(family);
});

// Quantization knows the modules of some of these; inference does not run them.
test.each<[JsonObject, string]>([
  [{ model_type: 'camembert' }, 'camembert'],
  [{ model_type: 'xlm-roberta' }, 'xlm-roberta'],
  [{ model_type: 'electra' }, 'electra'],
  [{ model_type: 'roberta-prelayernorm' }, 'roberta-prelayernorm'],
  [{ architectures: ['BertGenerationEncoder'] }, 'BertGenerationEncoder'],
  [{ architectures: ['XLMRobertaModel'] }, 'XLMRobertaModel'],
  [{ architectures: [] }, 'undefined'],
])('%j is refused', (json, got) => {
  const refusal = { code: 'unsupported', got, wanted: 'bert, distilbert or roberta' };
  expect(() => bertConfig(json)).toThrow(expect.objectContaining(refusal));
});

test('pruned heads, by the number of their layer', () => {
  const json = { pruned_heads: { '0': [1, 3], '11': [0, 0], '4': [], '5': [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] } };
  expect([...bertConfig(json).prunedHeads]).toEqual([
    [0, 2],
    [4, 0],
    [5, 12],
    [11, 1],
  ]);
  expect(bertConfig({ pruned_heads: null }).prunedHeads.size).toBe(0);
});

test('labels', () => {
  expect(bertConfig({ id2label: { 0: 'no', 1: 'yes' } }).labels).toEqual(['no', 'yes']);
});

test.each<[string, JsonObject[string]]>([
  ['a layer that is not there', { 12: [0] }],
  ['a huge number of a layer', { '9007199254740993': [0] }],
  ['a number of a layer in another form', { '01': [0] }],
  ['a layer below the first', { '-1': [0] }],
  ['a name for a layer', { layer: [0] }],
  ['a head that is not there', { 0: [12] }],
  ['a head below the first', { 0: [-1] }],
  ['a huge number of a head', { 0: [1e300] }],
  ['half a head', { 0: [0.5] }],
  ['a head in text', { 0: ['1'] }],
  ['a list in a list', { 0: [[1]] }],
  ['a number for a list', { 0: 1 }],
  ['null for a list', { 0: null }],
  ['a list of lists', [[0]]],
  ['a text', '0'],
  ['a number', 0],
  ['a huge list', { 0: Array.from({ length: 100_000 }, (_, head) => head) }],
])('pruned_heads with %s is corrupt', (_, pruned_heads) => {
  const refusal = {
    code: 'corrupt',
    where: 'config',
    what: 'pruned_heads',
    wanted: expect.stringContaining('0 to 11'),
  };
  expect(() => bertConfig({ pruned_heads })).toThrow(expect.objectContaining(refusal));
});

test.each<[string, JsonObject, string]>([
  ['another architecture', { model_type: 'bert-generation' }, 'unsupported'],
  ['another activation', { hidden_act: 'swish' }, 'unsupported'],
  ['a decoder', { is_decoder: true }, 'unsupported'],
  ['no LayerNorm', { layer_norm_type: 'no_norm' }, 'unsupported'],
  ['other positions', { position_embedding_type: 'relative_key' }, 'unsupported'],
  ['heads that do not divide', { num_attention_heads: 7 }, 'corrupt'],
  ['a size of text', { hidden_size: '768' }, 'corrupt'],
  ['a size of 0', { hidden_size: 0 }, 'corrupt'],
  ['too many layers', { num_hidden_layers: 1e6 }, 'limit'],
  ['an epsilon of NaN', { layer_norm_eps: Number.NaN }, 'corrupt'],
  ['RoBERTa without positions', { model_type: 'roberta', max_position_embeddings: 2 }, 'corrupt'],
])('%s', (_, json, code) => {
  let error: unknown;
  try {
    bertConfig(json);
  } catch (caught) {
    error = caught;
  }
  expect(isPruneError(error) && error.code).toBe(code);
});
