import { readFileSync } from 'node:fs';
import { type Elementary, LINEAR_PARTS, partName, type Tensor } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { openPytorch } from './open-pytorch.js';
import { openStagedPytorch } from './open-staged-pytorch.js';
import type { ElementaryCheckpoint, QuantizedCheckpoint } from './staged-checkpoint.js';

const expected = readNpz(goldenPath('quantized/expected.npz'));

const open = (file: string) => openStagedPytorch(readFileSync(goldenPath(`quantized/${file}`)), { name: file });

/** The quantized modules of a model by name, with what PyTorch says of each. */
function modulesOf(model: string): Map<string, (part: string) => Tensor | undefined> {
  const names = [...expected.keys()].filter((key) => key.startsWith(`${model}/`) && key.endsWith('.int_repr'));
  return new Map(
    names.map((key) => {
      const module = key.slice(model.length + 1, -'.int_repr'.length);
      return [module, (part) => expected.get(`${model}/${module}.${part}`) as Tensor | undefined];
    }),
  );
}

test.each([
  ['per_tensor.bin', 'per_tensor', undefined],
  ['per_tensor_legacy.bin', 'per_tensor', undefined],
  ['per_channel.bin', 'per_channel', undefined],
  ['torch15.bin', 'per_tensor', 'fbgemm-1.5'],
  ['torch14.bin', 'per_tensor', 'fbgemm-1.5'],
  ['embeddings.bin', 'embeddings', undefined],
])("%s: every integer and scale is PyTorch's", async (file, model, profile) => {
  const checkpoint = (await open(file)) as QuantizedCheckpoint;
  expect(checkpoint).toMatchObject({ stage: 'quantized', name: file });
  expect(checkpoint.profile).toBe(profile);
  const { quantized } = checkpoint;
  const modules = modulesOf(model);
  expect(modules.size).toBeGreaterThan(12);
  for (const [module, part] of modules) {
    const entry = await quantized.get(module);
    if (entry === undefined || !('kind' in entry)) throw new Error(`${module} is not quantized`);
    const intRepr = part('int_repr')!;
    const scales = part('scales') ?? part('scale')!;
    if (entry.kind === 'embedding') {
      expect(entry).toEqual({
        kind: 'embedding',
        bits: 8,
        shape: intRepr.shape,
        intRepr: intRepr.data,
        scales: scales.data,
        zeroPoints: part('zero_points')!.data,
      });
    } else {
      expect(entry).toEqual({
        kind: 'linear',
        qscheme: part('scales') === undefined ? 'per_tensor_affine' : 'per_channel_affine',
        weight: { shape: intRepr.shape, intRepr: intRepr.data },
        scales: scales.data,
        bias: part('bias') ?? null,
      });
    }
  }
  // What is left is float, and nothing is left out but the outputs' scales.
  const floats = [...quantized.keys()].filter((name) => !modules.has(name));
  expect(floats.every((name) => /LayerNorm|embeddings/.test(name))).toBe(true);
  for (const name of floats) expect(await quantized.get(name)).toMatchObject({ dtype: 'float32' });
  await checkpoint.close();
});

test("the versions of modules are torch's _metadata", async () => {
  const { modules } = (await open('per_channel.bin')) as QuantizedCheckpoint;
  expect(modules).toMatchObject({ '': { version: 1 }, qa_outputs: { version: 4 } });
  expect(((await open('torch15.bin')) as QuantizedCheckpoint).modules).toBeUndefined();
});

test.each(['elementary.pt', 'elementary_proto4.pt'])("%s: the notebook's dict, numpy's arrays in it", async (file) => {
  const { stage, elementary } = (await open(file)) as ElementaryCheckpoint;
  expect(stage).toBe('elementary');
  const get = async (name: string) => (await elementary.get(name)) as Elementary;
  let modules = 0;
  for (const [module, part] of modulesOf('per_tensor')) {
    if (/embedding|pooler/.test(module)) continue;
    modules++;
    const at = (part: keyof typeof LINEAR_PARTS) => get(partName(module, LINEAR_PARTS[part]));
    expect(await at('dtype')).toBe('qint8');
    expect(await at('scale')).toEqual({ ...part('scale'), dtype: 'float64' });
    expect(await at('zeroPoint')).toEqual({ dtype: 'int64', shape: [], data: BigInt64Array.of(0n) });
    expect(await at('bias')).toEqual(part('bias'));
    const intRepr = part('int_repr')!;
    expect(await at('shape')).toMatchObject({ dtype: 'int64', data: BigInt64Array.from(intRepr.shape, BigInt) });
    const [data, indptr, indices] = (await Promise.all([at('data'), at('indptr'), at('indices')])) as Tensor[];
    expect([data.dtype, indptr.dtype, indices.dtype]).toEqual(['int8', 'int32', 'uint16']);
    const dense = new Int8Array(intRepr.data.length);
    for (let row = 0; row < intRepr.shape[0]; row++) {
      for (let p = Number(indptr.data[row]); p < Number(indptr.data[row + 1]); p++) {
        dense[row * intRepr.shape[1] + Number(indices.data[p])] = Number(data.data[p]);
      }
    }
    expect(dense).toEqual(intRepr.data);
  }
  expect(modules).toBeGreaterThan(11);
  expect(await get('bert.encoder.layer.0.output.LayerNorm.weight')).toMatchObject({ dtype: 'float32', shape: [64] });
});

test('a reader of floats says what the file holds', async () => {
  for (const file of ['per_tensor.bin', 'elementary.pt']) {
    const opening = openPytorch(readFileSync(goldenPath(`quantized/${file}`)), { name: file });
    await expect(opening).rejects.toMatchObject({ code: 'unsupported', where: file });
  }
});
