import type { TensorInfo } from '@prune/core';
import { expect, test } from 'vitest';
import { linearModules } from './linear-modules.js';

const parameters = (...names: string[]): [string, TensorInfo][] =>
  names.map((name) => [name, { dtype: 'float32', shape: name.endsWith('.weight') ? [4, 4] : [4] }]);
const sorted = (set: ReadonlySet<string>) => [...set].sort();

test('no parameters', () => {
  expect(linearModules({ model_type: 'bert' }, [])).toEqual({
    architecture: 'bert',
    known: true,
    linears: new Set(),
    embeddingTables: new Set(),
  });
  expect(linearModules(undefined, [])).toMatchObject({ architecture: undefined, known: false });
});

const BERT_LAYER = [
  'attention.self.query',
  'attention.self.key',
  'attention.self.value',
  'attention.output.dense',
  'intermediate.dense',
  'output.dense',
];
const architectures: [config: object, linears: string[], tables: string[], neither: string[]][] = [
  [
    { model_type: 'bert' },
    [
      ...BERT_LAYER.map((name) => `bert.encoder.layer.0.${name}`),
      ...BERT_LAYER.map((name) => `bert.encoder.layer.11.${name}`),
      'bert.encoder.layer.0.crossattention.self.query',
      'bert.pooler.dense',
      'cls.predictions.transform.dense',
      'cls.predictions.decoder',
      'cls.seq_relationship',
      'classifier',
      'qa_outputs',
    ],
    ['word', 'position', 'token_type'].map((name) => `bert.embeddings.${name}_embeddings`),
    [
      'bert.embeddings.LayerNorm',
      'bert.encoder.layer.0.attention.output.LayerNorm',
      'bert.encoder.layer.0.attention.self.distance_embedding',
      'bert.encoder.layer.0.output.dense.extra',
      'bert.encoder.layer.x.output.dense',
      'my.bert.pooler.dense',
      'classifier_2',
      'my_qa_outputs',
    ],
  ],
  // A BertModel by itself has no prefix; configs of 2019 have no model_type.
  [
    { architectures: ['BertModel'] },
    [...BERT_LAYER.map((name) => `encoder.layer.3.${name}`), 'pooler.dense'],
    ['embeddings.word_embeddings'],
    ['embeddings.LayerNorm'],
  ],
  [
    { model_type: 'distilbert' },
    [
      ...['q', 'k', 'v', 'out'].map((name) => `distilbert.transformer.layer.5.attention.${name}_lin`),
      'distilbert.transformer.layer.5.ffn.lin1',
      'distilbert.transformer.layer.5.ffn.lin2',
      'vocab_transform',
      'vocab_projector',
      'pre_classifier',
      'classifier',
      'qa_outputs',
    ],
    ['distilbert.embeddings.word_embeddings', 'distilbert.embeddings.position_embeddings'],
    ['distilbert.transformer.layer.5.sa_layer_norm', 'vocab_layer_norm', 'bert.pooler.dense'],
  ],
  [
    { model_type: 'xlm-roberta' },
    [
      ...BERT_LAYER.map((name) => `roberta.encoder.layer.0.${name}`),
      'roberta.pooler.dense',
      'lm_head.dense',
      'lm_head.decoder',
      'classifier',
      'classifier.dense',
      'classifier.out_proj',
      'qa_outputs',
    ],
    ['roberta.embeddings.word_embeddings'],
    ['lm_head.layer_norm', 'cls.seq_relationship'],
  ],
];

test.each(architectures)('%j', (config, linears, tables, neither) => {
  const names = [...linears, ...tables, ...neither].flatMap((module) => [`${module}.weight`, `${module}.bias`]);
  const found = linearModules(config as never, parameters(...names));
  expect(found.known).toBe(true);
  expect(sorted(found.linears)).toEqual([...linears].sort());
  expect(sorted(found.embeddingTables)).toEqual([...tables].sort());
});

test('a tied decoder has no weight in the checkpoint and is not listed', () => {
  const names = ['bert.embeddings.word_embeddings.weight', 'cls.predictions.bias', 'cls.predictions.decoder.bias'];
  expect([...linearModules({ model_type: 'bert' }, parameters(...names)).linears]).toEqual([]);
});

test('which config names which architecture', () => {
  const of = (config: object | undefined) => linearModules(config as never, []).architecture;
  expect(of({ model_type: 'masked_bert' })).toBe('bert');
  expect(of({ model_type: 'camembert' })).toBe('roberta');
  expect(of({ architectures: ['MaskedBertForQuestionAnswering'] })).toBe('bert');
  expect(of({ model_type: 7, architectures: ['BertModel'] })).toBe('bert');
  expect(of({ architectures: ['DistilBertForSequenceClassification'] })).toBe('distilbert');
  expect(of({ architectures: ['RobertaForMaskedLM'] })).toBe('roberta');
  for (const config of [
    undefined,
    {},
    { model_type: 'bertish' },
    { model_type: 'toString' },
    { model_type: 7 },
    { architectures: [] },
    { architectures: [3] },
    { architectures: ['BertGenerationEncoder'] },
    { architectures: ['BertFormer'] },
    { architectures: ['BertModels'] },
    { architectures: ['bertmodel'] },
    { architectures: ['MyBertModel'] },
    { architectures: ['XLMRobertaModel'] },
    { model_type: 'electra' },
    { model_type: 'albert', architectures: ['BertModel'] },
  ]) {
    expect(of(config)).toBeUndefined();
  }
});

test('unknown architecture: every matrix but tables, told by whole components', () => {
  const found = linearModules({ model_type: 'albert' }, [
    ...parameters(
      'albert.encoder.embedding_hidden_mapping_in.weight',
      'electra.embeddings_project.weight',
      'albert.embeddings.word_embeddings.weight',
      'transformer.wte.weight',
      'h.0.layer_scale.weight',
      'embed_tokens.weight',
      'embedding.weight',
      'weight',
      'a.bias',
    ),
    ['norm.weight', { dtype: 'float32', shape: [4] }],
    ['conv.weight', { dtype: 'float32', shape: [4, 4, 3] }],
  ]);
  expect(found.known).toBe(false);
  expect([...found.linears]).toEqual([
    'albert.encoder.embedding_hidden_mapping_in',
    'electra.embeddings_project',
    'h.0.layer_scale',
  ]);
  expect([...found.embeddingTables]).toEqual([
    'albert.embeddings.word_embeddings',
    'transformer.wte',
    'embed_tokens',
    'embedding',
  ]);
});
