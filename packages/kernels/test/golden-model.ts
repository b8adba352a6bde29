import { readFileSync } from 'node:fs';
import { type CsrMatrix, linearNames, parameterNames, type QuantizedLinear, type Tensor } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import type { AnyLinear, EncoderLayer, FloatLinear } from '../src/index.js';

/** A golden model: its encoder as the notebook stored it, the same in float32, and what PyTorch computed. */
export interface GoldenModel {
  readonly heads: number;
  readonly hiddenSize: number;
  readonly quantized: readonly EncoderLayer[];
  readonly float: readonly EncoderLayer[];
  readonly length: number;
  /** Tokens of each row that are no padding; they come first. */
  readonly attended: readonly number[];
  /** `<engine>.hidden.<layer>` as PyTorch computed it, `[batch, length, hiddenSize]` flat. */
  hidden(engine: string, layer: number): Float32Array;
}

/** Reads `golden/tiny` or `golden/narrow`. */
export function goldenModel(name: 'tiny' | 'narrow'): GoldenModel {
  const config = JSON.parse(readFileSync(goldenPath(`${name}/config.json`), 'utf8'));
  const elementary = readNpz(goldenPath(`${name}/elementary.npz`)) as Map<string, Tensor>;
  const logits = readNpz(goldenPath(`${name}/logits.npz`)) as Map<string, Tensor>;
  const floats = readSafetensors(goldenPath(`${name}/model.safetensors`));
  const indices = Array.from({ length: config.num_hidden_layers }, (_, index) => index);
  const mask = logits.get('mask')!;
  const [batch, length] = mask.shape;
  const attended = Array.from({ length: batch }, (_, row) => {
    const bits = Array.from(mask.data.subarray(row * length, (row + 1) * length) as BigInt64Array, Number);
    const count = bits.reduce((sum, bit) => sum + bit, 0);
    if (bits.lastIndexOf(1) !== count - 1) throw new Error('padding is not at the end');
    return count;
  });
  return {
    heads: config.num_attention_heads,
    hiddenSize: config.hidden_size,
    quantized: indices.map((index) => layerOf(index, (module) => quantizedLinear(elementary, module), elementary)),
    float: indices.map((index) => layerOf(index, (module) => floatLinear(floats, module), floats)),
    length,
    attended,
    hidden: (engine, layer) => logits.get(`${engine}.hidden.${layer}`)!.data as Float32Array,
  };
}

function layerOf(index: number, linear: (module: string) => AnyLinear, tensors: Map<string, Tensor>): EncoderLayer {
  const layer = parameterNames('bert', 'bert.').layer(index);
  const norm = (module: string) => ({
    weight: tensors.get(`${module}.weight`)!.data as Float32Array,
    bias: tensors.get(`${module}.bias`)!.data as Float32Array,
  });
  return {
    query: linear(layer.query),
    key: linear(layer.key),
    value: linear(layer.value),
    attentionOutput: linear(layer.attentionOutput),
    attentionNorm: norm(layer.attentionNorm),
    intermediate: linear(layer.intermediate),
    output: linear(layer.output),
    outputNorm: norm(layer.outputNorm),
  };
}

function quantizedLinear(tensors: Map<string, Tensor>, module: string): QuantizedLinear<CsrMatrix> {
  const names = linearNames(module);
  const data = (part: keyof typeof names) => tensors.get(names[part])!.data;
  const [rows, columns] = Array.from(data('shape') as BigInt64Array, Number);
  return {
    kind: 'linear',
    weight: {
      shape: [rows, columns],
      indptr: data('indptr') as Int32Array,
      indices: data('indices') as Uint16Array,
      data: data('data') as Int8Array,
    },
    qscheme: 'per_tensor_affine',
    scales: data('scale') as Float64Array,
    bias: tensors.get(names.bias) as Tensor<'float32'>,
  };
}

function floatLinear(tensors: Map<string, Tensor>, module: string): FloatLinear {
  const weight = tensors.get(`${module}.weight`)!;
  return {
    kind: 'float',
    weight: weight.data as Float32Array,
    shape: weight.shape as [number, number],
    bias: tensors.get(`${module}.bias`)!.data as Float32Array,
  };
}

function readSafetensors(path: string): Map<string, Tensor> {
  const file = Uint8Array.from(readFileSync(path));
  const size = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + size)));
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header) as [string, { shape: number[]; data_offsets: number[] }][]) {
    if (name === '__metadata__') continue;
    const [begin, end] = entry.data_offsets.map((offset) => offset + 8 + size);
    tensors.set(name, {
      dtype: 'float32',
      shape: entry.shape,
      data: new Float32Array(file.slice(begin, end).buffer),
    });
  }
  return tensors;
}
