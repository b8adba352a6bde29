import { type JsonObject, parameterNames } from '@prune/core';
import { describe, expect, test } from 'vitest';
import { modelNames } from './model-names.js';

const CONFIG: JsonObject = { model_type: 'bert', architectures: ['BertForQuestionAnswering'], num_hidden_layers: 2 };

/** The parameters of a model of two layers with a head. */
function model(prefix: string, head = ''): string[] {
  const { wordEmbeddings, embeddingNorm, layer, pooler } = parameterNames('bert', prefix);
  const modules = [wordEmbeddings, embeddingNorm, ...[0, 1].flatMap((i) => Object.values(layer(i))), pooler!];
  return [...modules, `${head}qa_outputs`].map((name) => `${name}.weight`);
}
const PLAIN = model('bert.');

function renamed(names: readonly string[], { config = CONFIG, choice }: { config?: JsonObject; choice?: string } = {}) {
  const { rename, notes } = modelNames(names, config, { where: 'x.bin', choice });
  return { names: names.map(rename).filter((name) => name !== undefined), notes };
}

test('no names, and the names of transformers', () => {
  expect(renamed([])).toEqual({ names: [], notes: [] });
  expect(renamed(PLAIN)).toEqual({ names: PLAIN, notes: [] });
  expect(renamed(model(''))).toEqual({ names: model(''), notes: [] });
});

test.each([
  'module.',
  '_orig_mod.',
  'model.',
  'student.',
  'module.model.',
  '_orig_mod.module.',
  'a.b.c.d.',
  '0.auto_model.',
])('the prefix %s before all names', (prefix) => {
  for (const inner of ['bert.', '']) {
    const { names, notes } = renamed(model(`${prefix}${inner}`, prefix));
    expect(names).toEqual(model(inner));
    expect(notes).toEqual([expect.stringContaining(`${names.length} of ${names.length} names`)]);
    expect(notes[0]).toContain(`${prefix}${inner}embeddings.word_embeddings.weight is ${inner}embeddings`);
  }
});

test('a model of another family is not the one that the config says', () => {
  expect(renamed(model('roberta.'))).toEqual({ names: model('roberta.'), notes: [] });
});

test('wrappers within names', () => {
  const inner = PLAIN.map((name) =>
    name
      .replace('bert.encoder', 'bert._orig_mod.encoder')
      .replace(/layer\.(\d)/, 'layer.$1._fsdp_wrapped_module._checkpoint_wrapped_module')
      .replace('query.weight', 'query.module.weight'),
  );
  expect(renamed(inner).names).toEqual(PLAIN);
});

test('a head beside the wrapped model', () => {
  expect(renamed(model('encoder_model.')).names).toEqual(PLAIN);
  expect(renamed(model('model.encoder_model.', 'model.')).names).toEqual(PLAIN);
});

test('what is not in the wrapped model is left out, and listed', () => {
  const others = ['loss.weight', 'ema_decay', 'metric.total'];
  const { names, notes } = renamed([...model('net.bert.', 'net.'), ...others, 'net.log_sigma']);
  expect(names).toEqual([...PLAIN, 'log_sigma']);
  expect(notes[1]).toContain(`3 of ${names.length + 3} tensors are left out`);
  expect(notes[1]).toContain('loss.weight, ema_decay, metric.total');
});

test('the tensors of quantization-aware training are left out, and listed', () => {
  const extra = [
    'bert.encoder.layer.0.attention.self.query.pre_ops.0.op.scale',
    'external_quantizers.BertModel/BertEncoder[encoder]|OUTPUT.signed_tensor',
    'bert.encoder.layer.0.output.dense.quant.activation_post_process.scale',
    'bert.encoder.layer.0.output.dense.module.weight_fake_quant.zero_point',
    '_nncf.activation.x',
  ];
  const { names, notes } = renamed([...PLAIN, ...extra]);
  expect(names).toEqual(PLAIN);
  expect(notes).toEqual([expect.stringMatching(/^5 of \d+ tensors are left out.*pre_ops.* and 1 more$/)]);
});

describe('several models', () => {
  const both = [...model('student.bert.', 'student.'), ...model('teacher.bert.', 'teacher.')];
  test('are refused, naming each', () => {
    expect(() => renamed(both)).toThrow(
      expect.objectContaining({ code: 'invalid-argument', where: 'x.bin', got: 'student and teacher' }),
    );
  });
  test('one is chosen, the other left out', () => {
    const { names, notes } = renamed(both, { choice: 'student' });
    expect(names).toEqual(PLAIN);
    expect(notes[1]).toContain(`${PLAIN.length} of ${both.length} tensors are left out`);
  });
  test('a name that the file does not have', () => {
    expect(() => renamed(both, { choice: 'ema' })).toThrow(
      expect.objectContaining({ code: 'invalid-argument', got: 'ema', wanted: 'one of student, teacher' }),
    );
    expect(() => renamed(PLAIN, { choice: 'ema' })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
  test('one without a prefix is chosen by that of the base model', () => {
    const { names } = renamed([...PLAIN, ...model('teacher.bert.', 'teacher.')], { choice: 'bert' });
    expect(names).toEqual(PLAIN);
  });
  test('one alone is complete: it is taken', () => {
    const { names } = renamed([...model('student.bert.', 'student.'), ...both.slice(-4)]);
    expect(names).toEqual(PLAIN);
  });
});

test('weights that something else computes are refused by name', () => {
  const query = 'bert.encoder.layer.0.attention.self.query';
  for (const name of [
    `${query}.parametrizations.weight.original`,
    `${query}.pre_ops.0.op.binary_mask`,
    `${query}.pre_ops.0.op.weight_importance`,
  ]) {
    expect(() => renamed([...PLAIN, name])).toThrow(expect.objectContaining({ code: 'unsupported', tensor: name }));
  }
});

test('an architecture that we do not know: only wrappers that all names begin with', () => {
  const config = { model_type: 'electra' };
  const own = ['module.electra.embeddings.word_embeddings.weight', 'module.electra.module.a'];
  expect(renamed(own, { config }).names).toEqual(['electra.embeddings.word_embeddings.weight', 'electra.module.a']);
  expect(renamed([...own, 'x.y'], { config }).names).toEqual([...own, 'x.y']);
  expect(() => renamed(own, { config, choice: 'a' })).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});
