import { type Elementary, type QuantizationProfile, type Tensor, tensor } from '@prune/core';
import { decompose } from '@prune/csr';
import { codeOf } from '@prune/fixtures';
import { createEngine, type Engine } from '@prune/kernels';
import {
  dequantizeEmbedding,
  type EmbeddingPrecision,
  linearModules,
  quantizeDynamic,
  quantizeEmbedding,
} from '@prune/quant';
import { expect, test } from 'vitest';
import { loadModel } from '../model/load-model.js';

const WIDTH = 8;
/** Three blocks of rows, the last of them short. */
const WORDS = 517;
const config = {
  model_type: 'bert',
  architectures: ['BertForMaskedLM'],
  vocab_size: WORDS,
  hidden_size: WIDTH,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 12,
  max_position_embeddings: 16,
  type_vocab_size: 2,
};
const inputs = { input_ids: [[2, 300, 516, 3], [2]] };
const WORD_TABLE = 'bert.embeddings.word_embeddings.weight';

let seed = 1;
/** Numbers of about -1 to 1, of which the largest comes last, in the last block. */
function numbers(...shape: number[]): Tensor<'float32'> {
  const data = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 31 - 1;
  });
  data[data.length - 1] = 1.5;
  return tensor('float32', shape, data);
}

const parameters = new Map<string, Tensor<'float32'>>([
  [WORD_TABLE, numbers(WORDS, WIDTH)],
  ['bert.embeddings.position_embeddings.weight', numbers(16, WIDTH)],
  ['bert.embeddings.token_type_embeddings.weight', numbers(2, WIDTH)],
  ['cls.predictions.bias', numbers(WORDS)],
]);
for (const [name, rows, columns] of [
  ['attention.self.query', WIDTH, WIDTH],
  ['attention.self.key', WIDTH, WIDTH],
  ['attention.self.value', WIDTH, WIDTH],
  ['attention.output.dense', WIDTH, WIDTH],
  ['intermediate.dense', 12, WIDTH],
  ['output.dense', WIDTH, 12],
] as const) {
  parameters.set(`bert.encoder.layer.0.${name}.weight`, numbers(rows, columns));
  parameters.set(`bert.encoder.layer.0.${name}.bias`, numbers(rows));
}
parameters.set('cls.predictions.transform.dense.weight', numbers(WIDTH, WIDTH));
parameters.set('cls.predictions.transform.dense.bias', numbers(WIDTH));
for (const name of [
  'bert.embeddings.LayerNorm',
  'bert.encoder.layer.0.attention.output.LayerNorm',
  'bert.encoder.layer.0.output.LayerNorm',
  'cls.predictions.transform.LayerNorm',
]) {
  parameters.set(`${name}.weight`, numbers(WIDTH));
  parameters.set(`${name}.bias`, numbers(WIDTH));
}

/** The same parameters with a decoder of its own, which has the values of the word embeddings. */
function withDecoder(words: Tensor): Map<string, Tensor> {
  return new Map<string, Tensor>([
    ...parameters,
    ['cls.predictions.decoder.weight', words],
    ['cls.predictions.decoder.bias', parameters.get('cls.predictions.bias')!],
  ]);
}

async function packed(
  stateDict: ReadonlyMap<string, Tensor>,
  profile: QuantizationProfile = 'fbgemm',
  embeddings: EmbeddingPrecision = 'f32',
): Promise<Map<string, Elementary>> {
  const entries = new Map<string, Elementary>();
  const quantized = quantizeDynamic(stateDict, { ...linearModules(config, stateDict), profile, embeddings });
  for await (const [name, value] of decompose(quantized)) entries.set(name, value);
  return entries;
}

test.each([
  [undefined, 'f32'],
  ['fbgemm', 'f32'],
  ['onnxruntime', 'f32'],
  ['fbgemm', 'int8'],
] as const)('profile %s, embeddings %s: a tied decoder gives the bits of a stored one', async (profile, embeddings) => {
  const words = parameters.get(WORD_TABLE)!;
  const whole = withDecoder(embeddings === 'int8' ? dequantizeEmbedding(quantizeEmbedding(words, 8)) : words);
  const [tied, stored] = await Promise.all(
    [parameters, whole].map(async (stateDict) => {
      const source = profile === undefined ? stateDict : await packed(stateDict, profile, embeddings);
      return loadModel(source, { config, profile });
    }),
  );
  expect(await tied.logits(inputs)).toEqual(await stored.logits(inputs));
  await Promise.all([tied.close(), stored.close()]);
});

/** An engine that calls `onLoad` before it loads a Linear of that name. */
async function watched(onLoad: (name: string) => void): Promise<Engine> {
  const engine = await createEngine();
  return Object.assign(Object.create(engine), {
    loadLinear: (...given: Parameters<Engine['loadLinear']>) => {
      onLoad(given[2]!);
      return engine.loadLinear(...given);
    },
  });
}

test('the decoder is loaded at the first use, once for uses at the same time', async () => {
  const loads: string[] = [];
  const engine = await watched((name) => loads.push(name));
  const model = await loadModel(await packed(parameters), { config, engine });
  expect(loads).toEqual(['cls.predictions.transform.dense']);
  const [first, second] = await Promise.all([model.logits(inputs), model.logits(inputs)]);
  expect(first).toEqual(second);
  expect(loads.slice(1)).toEqual(Array(3).fill('cls.predictions.decoder'));
  await engine.close();
});

test('aborted while the decoder is loaded: nothing more is loaded, what was loaded is freed, and the next use works', async () => {
  const controller = new AbortController();
  const loads: string[] = [];
  const engine = await watched((name) => {
    loads.push(name);
    if (loads.length === 3) controller.abort();
  });
  const model = await loadModel(await packed(parameters), { config, engine });
  const before = model.info.memory.heads;
  expect(await codeOf(() => model.logits(inputs, { signal: controller.signal }))).toBe('aborted');
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(loads).toHaveLength(3);
  expect(model.info.memory.heads).toBe(before);
  const { logits } = (await model.logits(inputs)) as { readonly logits: Tensor };
  expect(logits.shape).toEqual([2, 4, WORDS]);
  expect(loads).toHaveLength(6);
  await engine.close();
});

test('a value of the table that has no code is named', async () => {
  const stateDict = await packed(parameters);
  const table = (stateDict.get(WORD_TABLE) as Tensor<'float32'>).data.slice();
  table[300 * WIDTH] = Number.NaN;
  stateDict.set(WORD_TABLE, tensor('float32', [WORDS, WIDTH], table));
  const model = await loadModel(stateDict, { config });
  await expect(model.logits({ input_ids: [[1]] })).rejects.toMatchObject({
    code: 'not-finite',
    tensor: 'cls.predictions.decoder',
    what: 'element 2400 has no int8 code',
  });
});
