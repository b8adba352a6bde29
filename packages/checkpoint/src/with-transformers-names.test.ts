import { type JsonObject, type TensorPieces, tensor } from '@prune/core';
import { expect, test, vi } from 'vitest';
import type { Checkpoint } from './checkpoint.js';
import { withTransformersNames } from './with-transformers-names.js';

function checkpoint(...names: string[]): Checkpoint {
  const values = new Map(names.map((name, i) => [name, tensor('float32', [1], Float32Array.of(i))]));
  return {
    name: 'x',
    format: 'safetensors',
    keys: () => values.keys(),
    info: (name) => values.get(name),
    get: async (name) => values.get(name),
    pieces: () => undefined,
    close: async () => {},
  };
}
const QA: JsonObject = { model_type: 'bert', architectures: ['BertForQuestionAnswering'] };
const BASE: JsonObject = { model_type: 'bert', architectures: ['BertModel'] };
const names = (config: JsonObject | undefined, ...from: string[]) => [
  ...withTransformersNames(checkpoint(...from), config).keys(),
];

test('no tensors', () => {
  expect(names(QA)).toEqual([]);
});

test('LayerNorm gamma and beta become weight and bias, position_ids goes, the value comes along', async () => {
  const mapped = withTransformersNames(
    checkpoint(
      'bert.embeddings.position_ids',
      'bert.embeddings.LayerNorm.gamma',
      'bert.embeddings.LayerNorm.beta',
      'bert.gamma',
    ),
    QA,
  );
  expect([...mapped.keys()]).toEqual([
    'bert.embeddings.LayerNorm.weight',
    'bert.embeddings.LayerNorm.bias',
    'bert.gamma',
  ]);
  expect(await mapped.get('bert.embeddings.LayerNorm.weight')).toMatchObject({ data: Float32Array.of(1) });
  expect(mapped.info('bert.embeddings.LayerNorm.bias')).toMatchObject({ shape: [1] });
  expect(await mapped.get('bert.embeddings.LayerNorm.gamma')).toBeUndefined();
  expect(await mapped.get('bert.embeddings.position_ids')).toBeUndefined();
});

test('the prefix of the base model is added for a task and taken away for the base model', () => {
  expect(names(QA, 'embeddings.a', 'pooler.b')).toEqual(['bert.embeddings.a', 'bert.pooler.b']);
  expect(names(QA, 'bert.embeddings.a', 'qa_outputs.weight')).toEqual(['bert.embeddings.a', 'qa_outputs.weight']);
  expect(names(BASE, 'bert.embeddings.a', 'bert.pooler.b')).toEqual(['embeddings.a', 'pooler.b']);
  expect(names(BASE, 'embeddings.a')).toEqual(['embeddings.a']);
  expect(names({ ...QA, model_type: 'roberta' }, 'embeddings.a')).toEqual(['roberta.embeddings.a']);
  expect(names({ ...QA, model_type: 'camembert' }, 'embeddings.a')).toEqual(['roberta.embeddings.a']);
  expect(names({ ...QA, model_type: 'electra' }, 'embeddings.a')).toEqual(['electra.embeddings.a']);
});

test('a head is kept, whatever the architecture is', () => {
  const both = ['bert.embeddings.a', 'cls.b'];
  expect(names(BASE, ...both)).toEqual(both);
  expect(names({ model_type: 'bert', architectures: ['BertQA'] }, ...both)).toEqual(both);
});

test('without a config that says which, names stay', () => {
  for (const config of [undefined, {}, { model_type: 'toString', architectures: ['XForY'] }, { model_type: 'bert' }]) {
    expect(names(config, 'embeddings.a', 'qa_outputs.weight')).toEqual(['embeddings.a', 'qa_outputs.weight']);
  }
});

test('two tensors under one name, and a head without the prefix, are refused', () => {
  const mismatch = expect.objectContaining({ code: 'mismatch' });
  expect(() => names(QA, 'bert.LayerNorm.gamma', 'bert.LayerNorm.weight')).toThrow(mismatch);
  for (const head of ['qa_outputs.weight', 'classifier.weight', 'cls.predictions.bias'])
    expect(() => names(QA, 'embeddings.a', head)).toThrow(mismatch);
});

// A new optional member of a checkpoint does not compile here before it is listed, and fails below when it is lost.
const weight = tensor('float32', [1], Float32Array.of(1));
const pieces: TensorPieces = { ...weight, pieces: async function* () {} };
const inner = {
  name: 'x',
  format: 'safetensors',
  keys: vi.fn(() => ['LayerNorm.gamma']),
  info: vi.fn(() => weight),
  get: vi.fn(async () => weight),
  pieces: vi.fn(() => pieces),
  close: vi.fn(async () => {}),
} satisfies Required<Checkpoint>;

test.each(['get', 'info', 'pieces'] as const)('%s asks the inner one, by its own name', async (member) => {
  const mapped = withTransformersNames(inner);
  expect(Object.keys(mapped).sort()).toEqual(Object.keys(inner).sort());
  expect(await mapped[member]('LayerNorm.weight')).toBe(await inner[member].mock.results.at(-1)?.value);
  expect(inner[member].mock.calls.at(-1)).toEqual(['LayerNorm.gamma']);
});

test('an architecture with a name of a megabyte is refused', () => {
  const config = { model_type: 'bert', architectures: [`${'ForA'.repeat(250_000)}-`] };
  expect(() => names(config, 'a')).toThrow(expect.objectContaining({ code: 'limit' }));
});
