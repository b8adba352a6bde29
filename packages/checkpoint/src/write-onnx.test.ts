import {
  type JsonObject,
  memorySink,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type QuantizedStateDict,
  type Tensor,
  tensor,
} from '@prune/core';
import { expect, test } from 'vitest';
import { openStagedOnnx } from './open-staged-onnx.js';
import { writeOnnx } from './write-onnx.js';

const CONFIG = { model_type: 'distilbert', dim: 6, n_heads: 2, n_layers: 1, activation: 'gelu_new' };

function floats(...shape: number[]): Tensor<'float32'> {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(
    'float32',
    shape,
    Float32Array.from({ length: count }, (_, i) => Math.sin(i + 1)),
  );
}

function linear(rows: number, columns: number, bias = true): QuantizedLinear {
  const intRepr = Int8Array.from({ length: rows * columns }, (_, i) => ((37 * i) % 255) - 127);
  return {
    kind: 'linear',
    qscheme: 'per_tensor_affine',
    scales: Float64Array.of(Math.fround(0.01)),
    weight: { shape: [rows, columns], intRepr },
    bias: bias ? floats(rows) : null,
  };
}

/** A DistilBERT of one layer without a task's head. One of its two attention heads was pruned if `width` is 3. */
function model(width = 6): Map<string, QuantizedLinear | QuantizedEmbedding | Tensor> {
  const layer = 'transformer.layer.0';
  return new Map<string, QuantizedLinear | QuantizedEmbedding | Tensor>([
    ['embeddings.word_embeddings.weight', floats(11, 6)],
    ['embeddings.position_embeddings.weight', floats(9, 6)],
    ['embeddings.LayerNorm.weight', floats(6)],
    ['embeddings.LayerNorm.bias', floats(6)],
    [`${layer}.attention.q_lin`, linear(width, 6)],
    [`${layer}.attention.k_lin`, linear(width, 6)],
    [`${layer}.attention.v_lin`, linear(width, 6)],
    [`${layer}.attention.out_lin`, linear(6, width)],
    [`${layer}.sa_layer_norm.weight`, floats(6)],
    [`${layer}.sa_layer_norm.bias`, floats(6)],
    [`${layer}.ffn.lin1`, linear(7, 6)],
    [`${layer}.ffn.lin2`, linear(6, 7)],
    [`${layer}.output_layer_norm.weight`, floats(6)],
    [`${layer}.output_layer_norm.bias`, floats(6)],
  ]);
}

async function written(quantized: QuantizedStateDict, config: JsonObject = CONFIG): Promise<Uint8Array> {
  const sink = memorySink();
  await writeOnnx(sink, quantized, config);
  return sink.bytes();
}

test('gelu_new: the graph is read again, with every module', async () => {
  const found = await openStagedOnnx(await written(model()), { config: CONFIG });
  if (found.stage !== 'quantized') throw new Error(found.stage);
  const read = new Map<string, unknown>();
  for (const name of found.quantized.keys()) read.set(name, await found.quantized.get(name));
  expect(new Map([...read].sort())).toEqual(new Map([...model()].sort()));
  expect(found.profile).toBe('onnxruntime');
  await found.close();
});

test('pruned heads are written; our reader refuses their graph by name', async () => {
  const opening = openStagedOnnx(await written(model(3)), { config: { ...CONFIG, pruned_heads: { 0: [1] } } });
  await expect(opening).rejects.toMatchObject({ code: 'unsupported', what: 'heads' });
});

test('what the graph does not have is refused by name', async () => {
  const errorOf = (config: JsonObject, change: (stored: ReturnType<typeof model>) => void = () => {}) => {
    const stored = model();
    change(stored);
    return written(stored, config).catch((error) => error);
  };
  expect(await errorOf({ model_type: 'albert' })).toMatchObject({ code: 'unsupported', got: 'albert' });
  expect(await errorOf({ ...CONFIG, activation: 'silu' })).toMatchObject({ code: 'unsupported', got: 'silu' });
  expect(await errorOf({ ...CONFIG, is_decoder: true })).toMatchObject({ code: 'unsupported' });
  const noHeads = { model_type: 'distilbert', n_layers: 1 };
  expect(await errorOf(noHeads)).toMatchObject({ code: 'missing', what: 'n_heads' });
  const lin1 = 'transformer.layer.0.ffn.lin1';
  expect(await errorOf(CONFIG, (stored) => stored.delete(lin1))).toMatchObject({ code: 'missing', tensor: lin1 });
  const words = 'embeddings.word_embeddings';
  const table = { kind: 'embedding', bits: 8, shape: [1, 1], intRepr: new Uint8Array(1) } as const;
  const withTable = await errorOf(CONFIG, (stored) => {
    stored.delete(`${words}.weight`);
    stored.set(words, { ...table, scales: Float32Array.of(1), zeroPoints: Float32Array.of(0) });
  });
  expect(withTable).toMatchObject({ code: 'missing', tensor: `${words}.weight` });
  const question = { ...CONFIG, architectures: ['DistilBertForQuestionAnswering'] };
  expect(await errorOf(question)).toMatchObject({ code: 'missing', tensor: 'qa_outputs' });
});

test('nothing is committed when a weight cannot be read again', async () => {
  const stored = model();
  let reads = 0;
  const get = (name: string) => (name.endsWith('lin2') && reads++ > 0 ? undefined : stored.get(name));
  const sink = memorySink();
  await expect(writeOnnx(sink, { keys: () => stored.keys(), get }, CONFIG)).rejects.toMatchObject({ code: 'missing' });
  expect(sink.bytes()).toHaveLength(0);
});
