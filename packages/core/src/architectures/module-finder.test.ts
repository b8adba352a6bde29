import { expect, test } from 'vitest';
import { moduleFinder } from './module-finder.js';

test.each([
  ['embeddings.word_embeddings.weight', 'base', '', 'embeddings.word_embeddings', 'weight'],
  ['bert.encoder.layer.11.attention.self.query.bias', 'base', 'bert.', 'encoder.layer.11.attention.self.query', 'bias'],
  ['a.b.encoder.layer.0.output.LayerNorm.gamma', 'base', 'a.b.', 'encoder.layer.0.output.LayerNorm', 'gamma'],
  ['x.pooler.dense._packed_params.dtype', 'base', 'x.', 'pooler.dense', '_packed_params.dtype'],
  ['model.cls.predictions.bias', 'head', 'model.', 'cls', 'predictions.bias'],
  ['x.bert.pooler.dense', 'base', 'x.bert.', 'pooler.dense', ''],
  ['classifier.classifier.weight', 'head', '', 'classifier', 'classifier.weight'],
])('%s', (name, part, prefix, module, rest) => {
  expect(moduleFinder(['bert'])(name)).toEqual({ part, prefix, module, rest });
});

test.each([
  '',
  'weight',
  'embeddings.position_ids',
  'xembeddings.LayerNorm.weight',
  'encoder.layer.x.output.dense.weight',
  'qa_output',
])('nothing of the model: %j', (name) => {
  expect(moduleFinder(['bert'])(name)).toBeUndefined();
});

test('the families that are asked for', () => {
  const name = 'transformer.layer.0.attention.q_lin.weight';
  expect(moduleFinder()(name)).toMatchObject({ part: 'base', prefix: '' });
  expect(moduleFinder(['distilbert'])(name)).toMatchObject({ part: 'base', prefix: '' });
  expect(moduleFinder(['bert'])(name)).toBeUndefined();
});

test('a long name takes no time', () => {
  expect(moduleFinder()('embeddings.'.repeat(20_000))).toBeUndefined();
});
