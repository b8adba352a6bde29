import { type StateDict, type Tensor, tensor } from '@prune/core';
import { expect, test } from 'vitest';
import { dequantize } from './dequantize.js';
import { quantizeDynamic } from './quantize-dynamic.js';
import { quantizeEmbedding } from './quantize-embedding.js';
import { quantizeWeight } from './quantize-weight.js';

const floats = (shape: number[], ...values: number[]) => tensor('float32', shape, Float32Array.from(values));
const weight = floats([2, 3], 1, -2, 3, 0, 0.5, -0.25);
const bias = floats([2], 0.5, -0.5);
const table = floats([2, 2], 1, 2, 3, 4);

const model = new Map<string, Tensor>([
  ['m.embeddings.words.weight', table],
  ['m.embeddings.LayerNorm.weight', floats([2], 1, 1)],
  ['m.dense.weight', weight],
  ['m.dense.bias', bias],
  ['m.ids', tensor('int64', [1, 2], BigInt64Array.of(0n, 1n)) as Tensor],
  ['m.half', tensor('float16', [1], Uint16Array.of(0x3c00))],
  // Sorted files have the bias first.
  ['z.dense.bias', bias],
  ['z.dense.weight', weight],
  ['z.free.weight', weight],
]);
const linears = new Set(['m.dense', 'z.dense', 'z.free', 'tied.decoder']);
const embeddingTables = new Set(['m.embeddings.words']);

/** A state dict that says what was read from it. */
function watched(map: Map<string, Tensor>): { stateDict: StateDict; reads: string[] } {
  const reads: string[] = [];
  return {
    reads,
    stateDict: {
      keys: () => map.keys(),
      async get(name) {
        reads.push(name);
        return map.get(name);
      },
    },
  };
}

test('an empty state dict', async () => {
  const quantized = quantizeDynamic(new Map(), { linears });
  expect([...quantized.keys()]).toEqual([]);
  expect(await quantized.get('m.dense')).toBeUndefined();
  expect([...(await dequantize(quantized)).keys()]).toEqual([]);
});

test('order, kinds and values', async () => {
  const quantized = quantizeDynamic(model, { linears, embeddingTables, embeddings: undefined, exclude: undefined });
  expect([...quantized.keys()]).toEqual([
    'm.embeddings.words.weight',
    'm.embeddings.LayerNorm.weight',
    'm.dense',
    'm.ids',
    'm.half',
    'z.dense',
    'z.free',
  ]);
  expect(await quantized.get('m.dense')).toEqual({ kind: 'linear', ...quantizeWeight(weight), bias });
  expect(await quantized.get('z.free')).toEqual({ kind: 'linear', ...quantizeWeight(weight), bias: null });
  expect(await quantized.get('m.embeddings.words.weight')).toEqual(table);
  expect(await quantized.get('m.ids')).toEqual(model.get('m.ids'));
  expect(await quantized.get('m.half')).toEqual(floats([1], 1));
  for (const absent of ['m.dense.weight', 'm.dense.bias', 'tied.decoder', 'toString']) {
    expect(await quantized.get(absent)).toBeUndefined();
  }
});

test('per channel, tables of 8 and 4 bits', async () => {
  const options = { linears, embeddingTables, perChannel: true };
  for (const [embeddings, bits] of [['int8', 8] as const, ['int4', 4] as const]) {
    const quantized = quantizeDynamic(model, { ...options, embeddings });
    expect([...quantized.keys()][0]).toBe('m.embeddings.words');
    expect(await quantized.get('m.embeddings.words')).toEqual(quantizeEmbedding(table, bits));
    const linear = { kind: 'linear', ...quantizeWeight(weight, { perChannel: true }), bias };
    expect(await quantized.get('m.dense')).toEqual(linear);
  }
  const wrong = { linears, embeddings: 'int2' as 'int4' };
  expect(() => quantizeDynamic(model, wrong)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test('get reads that one module, and reads it again', async () => {
  const { stateDict, reads } = watched(model);
  const quantized = quantizeDynamic(stateDict, { linears });
  expect(reads).toEqual([]);
  const first = await quantized.get('m.dense');
  expect(reads).toEqual(['m.dense.weight', 'm.dense.bias']);
  expect(await quantized.get('m.dense')).not.toBe(first);
});

test('exclude leaves out whole components, never parts of them', () => {
  const names = (...exclude: string[]) => [...quantizeDynamic(model, { linears, exclude }).keys()];
  expect(names('embeddings')).toEqual(['m.dense', 'm.ids', 'm.half', 'z.dense', 'z.free']);
  expect(names('embeddings', 'z')).toEqual(['m.dense', 'm.ids', 'm.half']);
  expect(names('m.dense', 'embed', 'dens', 'm.embeddings.LayerNorm')).toEqual([
    'm.embeddings.words.weight',
    'm.ids',
    'm.half',
    'z.dense',
    'z.free',
  ]);
  expect(names('m.dense.bias')).toEqual(names());
});

test('what cannot be quantized is refused by name, when it is read', async () => {
  const changed = (name: string, value: Tensor) => quantizeDynamic(new Map([...model, [name, value]]), { linears });
  const nan = changed('m.dense.weight', floats([1, 2], 1, Number.NaN));
  await expect(nan.get('m.dense')).rejects.toMatchObject({ code: 'not-finite', tensor: 'm.dense.weight' });
  const flat = changed('m.dense.weight', floats([2], 1, 2));
  await expect(flat.get('m.dense')).rejects.toMatchObject({ code: 'mismatch', tensor: 'm.dense.weight' });
  const long = changed('m.dense.bias', floats([3], 1, 2, 3));
  await expect(long.get('m.dense')).rejects.toMatchObject({ code: 'mismatch', tensor: 'm.dense.bias' });
  const integers = changed('m.dense.bias', tensor('int64', [2], new BigInt64Array(2)) as Tensor);
  await expect(integers.get('m.dense')).rejects.toMatchObject({ code: 'unsupported', tensor: 'm.dense.bias' });
  const lost = quantizeDynamic({ keys: () => ['x'], get: () => undefined }, { linears });
  await expect(lost.get('x')).rejects.toMatchObject({ code: 'missing', tensor: 'x' });
});

test('dequantize restores names, order and shapes, and values to half a step', async () => {
  const options = { linears, embeddingTables, embeddings: 'int8' } as const;
  const floatModel = new Map([...model].filter(([name]) => name !== 'z.dense.bias'));
  const back = await dequantize(quantizeDynamic(floatModel, options));
  expect([...back.keys()]).toEqual([...floatModel.keys()]);
  for (const [name, info] of back.infos) {
    const tensor = (await back.get(name)) as Tensor;
    expect({ dtype: tensor.dtype, shape: tensor.shape }).toEqual({ dtype: info.dtype, shape: info.shape });
    expect(tensor.shape).toEqual(floatModel.get(name)?.shape);
  }
  const restored = (await back.get('m.dense.weight')) as Tensor<'float32'>;
  // 1 / (3 / 127.5) is 42.5: a tie, to even.
  const scale = Math.fround(3 / 127.5);
  expect([...restored.data]).toEqual([42, -85, 127, 0, 21, -11].map((code) => Math.fround(code * scale)));
  expect(await back.get('m.dense.bias')).toEqual(bias);
  expect(await back.get('m.dense')).toBeUndefined();
});

test('dequantize refuses two entries that become one parameter, and a listed entry that is not there', async () => {
  const clash = quantizeDynamic(new Map([['a.weight', weight]]), { linears: new Set(['a']) });
  const twice = { keys: () => ['a', 'a.weight'], get: (name: string) => (name === 'a' ? clash.get('a') : weight) };
  await expect(dequantize(twice)).rejects.toMatchObject({ code: 'mismatch', tensor: 'a.weight' });
  await expect(dequantize({ keys: () => ['a'], get: () => undefined })).rejects.toMatchObject({ code: 'missing' });
});
