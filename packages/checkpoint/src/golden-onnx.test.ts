import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import {
  entriesOf,
  type JsonObject,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type Tensor,
  toFloat32,
} from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { openStagedCheckpoint } from './node/open-checkpoint.js';
import { openStagedOnnx } from './open-staged-onnx.js';

const expected = readNpz(goldenPath('onnx/expected.npz'));

/** The files of floats, and those of codes. */
const FLOATS = [
  ...['qa', 'qa-sdpa', 'qa-dynamo', 'qa-optimum', 'qa-half', 'sequence', 'token', 'token-dynamo', 'mlm'],
  ...['mlm-unfolded', 'base', 'base-fused', 'sequence-fused', 'bertclass', 'robclass'],
];
const CODES = [
  'qa-int8',
  'qa-int8-fused',
  'qa-channel',
  'sequence-reduced',
  'base-reduced',
  'qa-qdq',
  'qa-qdq-channel',
];

const json = (name: string) => JSON.parse(expected.get(name) as string);
const numbers = (name: string) => (expected.get(name) as Tensor).data as ArrayLike<number>;
const modelOf = (file: string) => expected.get(`${file}.model`) as string;
const configOf = (file: string): JsonObject => json(`${modelOf(file)}.config`);

function open(file: string, config?: JsonObject) {
  const bytes = gunzipSync(readFileSync(goldenPath(`onnx/${file}.onnx.gz`)));
  return openStagedOnnx(bytes, { name: file, config });
}

/** The state dict that a file was exported from, in float32. */
function stateDict(file: string): Map<string, Tensor<'float32'>> {
  const model = modelOf(file);
  const all = toFloat32(expected.get(`${model}.values`) as Tensor).data;
  let at = 0;
  return new Map(
    json(`${model}.parameters`).map(([name, shape]: [string, number[]]) => {
      const length = shape.reduce((product, size) => product * size, 1);
      const data = all.slice(at, at + length);
      at += length;
      return [name, { dtype: 'float32', shape, data }];
    }),
  );
}

describe.each([
  ['with config.json', true],
  ['without', false],
])('%s', (_, withConfig) => {
  test.each(FLOATS)('%s: every tensor is that of the state dict', async (file) => {
    const checkpoint = await open(file, withConfig ? configOf(file) : undefined);
    if (checkpoint.stage !== 'float') throw new Error(checkpoint.stage);
    const wanted = stateDict(file);
    // No output of a classifier for tokens needs the pooler, and RoBERTa's and BERT's other heads have none.
    const keys = [...checkpoint.tensors.keys()];
    expect([...keys].sort()).toEqual([...wanted.keys()].sort());
    for (const name of keys) {
      const tensor = (await checkpoint.tensors.get(name))!;
      expect(checkpoint.tensors.info(name), name).toEqual({ dtype: tensor.dtype, shape: tensor.shape });
      expect(toFloat32(tensor), name).toEqual(wanted.get(name));
    }
    await checkpoint.close();
  });
});

test.each([...FLOATS, ...CODES])('%s: the graph proves the config', async (file) => {
  const checkpoint = await open(file);
  if (checkpoint.stage === 'elementary') throw new Error(checkpoint.stage);
  const given = configOf(file);
  const { config = {} } = checkpoint;
  expect(config.architectures).toEqual(given.architectures);
  // The position of RoBERTa's first token is the one after its padding id, which is 1.
  expect(config.pad_token_id).toBe(given.model_type === 'roberta' ? 1 : undefined);
  for (const name of ['hidden_size', 'dim', 'num_attention_heads', 'n_heads', 'hidden_act', 'vocab_size', 'n_layers']) {
    if (given[name] !== undefined) expect(config[name], name).toEqual(given[name]);
  }
});

test.each(CODES)("%s: every integer and scale is onnxruntime's", async (file) => {
  const checkpoint = await open(file, configOf(file));
  if (checkpoint.stage !== 'quantized') throw new Error(checkpoint.stage);
  expect(checkpoint.profile).toBe('onnxruntime');
  const entries = new Map<string, QuantizedLinear | QuantizedEmbedding | Tensor>();
  for await (const [name, entry] of entriesOf(checkpoint.quantized)) entries.set(name, entry);
  const [codes, scales, zeros] = ['codes', 'scales', 'zeros'].map((part) => numbers(`${file}.${part}`));
  let [atCode, atScale] = [0, 0];
  const modules: [name: string, shape: [number, number], count: number][] = json(`${file}.modules`);
  expect(modules.length).toBeGreaterThan(10);
  for (const [name, [rows, columns], count] of modules) {
    const code = (row: number, column: number) => codes[atCode + row * columns + column];
    const entry = entries.get(name) ?? entries.get(`${name}.weight`);
    if (entry === undefined) throw new Error(`${name} is missing`);
    if (!('kind' in entry)) {
      // A table whose zero point is not a power of two: floats that are onnxruntime's own.
      expect(name).toContain('embeddings');
      const real = Array.from({ length: rows * columns }, (_, i) =>
        Math.fround((codes[atCode + i] - zeros[atScale]) * scales[atScale]),
      );
      expect(entry, name).toEqual({ dtype: 'float32', shape: [rows, columns], data: Float32Array.from(real) });
    } else if (entry.kind === 'linear') {
      // The file has [in, out].
      const wanted = Int8Array.from({ length: rows * columns }, (_, i) => {
        const [out, into] = [Math.floor(i / rows), i % rows];
        return code(into, out) - zeros[atScale + (count === 1 ? 0 : out)];
      });
      expect(entry.weight, name).toEqual({ shape: [columns, rows], intRepr: wanted });
      expect(entry.scales, name).toEqual(Float64Array.from({ length: count }, (_, i) => scales[atScale + i]));
      expect(entry.qscheme).toBe(count === 1 ? 'per_tensor_affine' : 'per_channel_affine');
    } else {
      expect(entry.shape).toEqual([rows, columns]);
      for (let i = 0; i < rows * columns; i++) {
        const row = Math.floor(i / columns);
        const real = (code(row, i % columns) - zeros[atScale]) * scales[atScale];
        // Computed as the rows of a quantized table are: one rounding of each step.
        const offset = Math.fround(-entry.zeroPoints[row] * entry.scales[row]);
        expect(Math.fround(entry.intRepr[i] * entry.scales[row] + offset)).toBe(Math.fround(real));
      }
    }
    atCode += rows * columns;
    atScale += count;
  }
  await checkpoint.close();
});

test('activations with fixed ranges are said to be quantized dynamically', async () => {
  for (const [file, notes] of [
    ['qa-qdq', 1],
    ['qa', 0],
  ] as const) {
    const checkpoint = await open(file);
    expect(checkpoint.notes).toHaveLength(notes);
    await checkpoint.close();
  }
});

test('external data is read from the folder of the model', async () => {
  const checkpoint = await openStagedCheckpoint(goldenPath('onnx/data.onnx'));
  if (checkpoint.stage !== 'float') throw new Error(checkpoint.stage);
  const wanted = stateDict('bertclass');
  for (const [name, tensor] of wanted) expect(await checkpoint.tensors.get(name), name).toEqual(tensor);
  expect(checkpoint.paths).toEqual([goldenPath('onnx/data.onnx'), goldenPath('onnx/data.onnx_data')]);
  await checkpoint.close();
});
