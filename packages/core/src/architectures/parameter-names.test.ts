import { expect, test } from 'vitest';
import { parameterNames } from './parameter-names.js';

test('BERT with a head', () => {
  const { layer, ...names } = parameterNames('bert', 'bert.');
  expect(names).toEqual({
    wordEmbeddings: 'bert.embeddings.word_embeddings',
    positionEmbeddings: 'bert.embeddings.position_embeddings',
    tokenTypeEmbeddings: 'bert.embeddings.token_type_embeddings',
    embeddingNorm: 'bert.embeddings.LayerNorm',
    pooler: 'bert.pooler.dense',
    questionAnswering: 'qa_outputs',
    sequenceClassification: { dense: 'bert.pooler.dense', activation: 'tanh', classifier: 'classifier' },
    tokenClassification: 'classifier',
    maskedLanguageModel: {
      dense: 'cls.predictions.transform.dense',
      norm: 'cls.predictions.transform.LayerNorm',
      decoder: 'cls.predictions.decoder',
      bias: 'cls.predictions.bias',
    },
  });
  expect(Object.entries(layer(11))).toEqual([
    ['query', 'bert.encoder.layer.11.attention.self.query'],
    ['key', 'bert.encoder.layer.11.attention.self.key'],
    ['value', 'bert.encoder.layer.11.attention.self.value'],
    ['attentionOutput', 'bert.encoder.layer.11.attention.output.dense'],
    ['attentionNorm', 'bert.encoder.layer.11.attention.output.LayerNorm'],
    ['intermediate', 'bert.encoder.layer.11.intermediate.dense'],
    ['output', 'bert.encoder.layer.11.output.dense'],
    ['outputNorm', 'bert.encoder.layer.11.output.LayerNorm'],
  ]);
});

test('a model that was saved without a head has no prefix', () => {
  const names = parameterNames('bert', '');
  expect(names.layer(0).query).toBe('encoder.layer.0.attention.self.query');
  expect(names.sequenceClassification.dense).toBe('pooler.dense');
});

test('RoBERTa has BERT modules and heads of its own', () => {
  const names = parameterNames('roberta', 'roberta.');
  expect(names.layer(3)).toEqual({
    ...parameterNames('bert', 'roberta.').layer(3),
    query: 'roberta.encoder.layer.3.attention.self.query',
  });
  expect(names.sequenceClassification).toEqual({
    dense: 'classifier.dense',
    activation: 'tanh',
    classifier: 'classifier.out_proj',
  });
  expect(names.tokenClassification).toBe('classifier');
  expect(names.maskedLanguageModel).toEqual({
    dense: 'lm_head.dense',
    norm: 'lm_head.layer_norm',
    decoder: 'lm_head.decoder',
    bias: 'lm_head.bias',
  });
});

test('DistilBERT has no token types and no pooler', () => {
  const names = parameterNames('distilbert', 'distilbert.');
  expect(names).toMatchObject({ tokenTypeEmbeddings: undefined, pooler: undefined });
  expect(names.layer(5)).toEqual({
    query: 'distilbert.transformer.layer.5.attention.q_lin',
    key: 'distilbert.transformer.layer.5.attention.k_lin',
    value: 'distilbert.transformer.layer.5.attention.v_lin',
    attentionOutput: 'distilbert.transformer.layer.5.attention.out_lin',
    attentionNorm: 'distilbert.transformer.layer.5.sa_layer_norm',
    intermediate: 'distilbert.transformer.layer.5.ffn.lin1',
    output: 'distilbert.transformer.layer.5.ffn.lin2',
    outputNorm: 'distilbert.transformer.layer.5.output_layer_norm',
  });
  expect(names.sequenceClassification).toEqual({
    dense: 'pre_classifier',
    activation: 'relu',
    classifier: 'classifier',
  });
  expect(names.maskedLanguageModel).toEqual({
    dense: 'vocab_transform',
    norm: 'vocab_layer_norm',
    decoder: 'vocab_projector',
    bias: 'vocab_projector.bias',
  });
});
