import { expect, test } from 'vitest';
import type { JsonObject } from '../byte-sources/parse-json.js';
import { checkComputation } from './check-computation.js';

test.each<JsonObject>([
  {},
  { model_type: 'bert', is_decoder: false, add_cross_attention: null, position_embedding_type: 'absolute' },
  { hidden_size: 312, embedding_size: 312, normalization_type: 'layer_norm', use_cache: true },
])('%j computes as we do', (config) => {
  expect(() => checkComputation(config)).not.toThrow();
});

test.each<[string, JsonObject]>([
  ['is_decoder', { is_decoder: true }],
  ['add_cross_attention', { is_decoder: false, add_cross_attention: true }],
  ['is_encoder_decoder', { is_encoder_decoder: true }],
  ['position_embedding_type', { position_embedding_type: 'relative_key_query' }],
  ['relative_attention', { relative_attention: true }],
  ['layer_norm_type', { layer_norm_type: 'no_norm' }],
  ['normalization_type', { normalization_type: 'no_norm' }],
  ['use_bottleneck', { use_bottleneck: true }],
  ['trigram_input', { trigram_input: true }],
  ['num_feedforward_networks', { num_feedforward_networks: 4 }],
  ['embedding_size', { hidden_size: 256, embedding_size: 128 }],
  ['is_decoder', { is_decoder: 1 }],
])('%s is refused by name', (field, config) => {
  const refusal = { code: 'unsupported', where: 'config.json', what: expect.stringContaining(field) };
  expect(() => checkComputation(config, 'config.json')).toThrow(expect.objectContaining(refusal));
});
