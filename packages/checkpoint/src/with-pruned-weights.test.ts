import { type Tensor, type TensorData, tensor } from '@prune/core';
import { casePath, codeOf } from '@prune/fixtures';
import { expect, test } from 'vitest';
import type { Checkpoint } from './checkpoint.js';
import { openCheckpoint } from './node/open-checkpoint.js';
import { withPrunedWeights } from './with-pruned-weights.js';

function checkpoint(values: Record<string, Tensor>): Checkpoint {
  const map = new Map(Object.entries(values));
  return {
    name: 'x.bin',
    format: 'pytorch-zip',
    keys: () => map.keys(),
    info: (name) => map.get(name),
    get: async (name) => map.get(name),
    pieces: () => undefined,
    close: async () => {},
  };
}
const floats = (...values: number[]) => tensor('float32', [values.length], Float32Array.from(values));

test('without a mask it is the checkpoint itself', () => {
  const plain = checkpoint({ 'a.weight': floats(1) });
  expect(withPrunedWeights(plain)).toEqual({ tensors: plain, notes: [] });
});

test('the product in the place of its factors, -0 where a negative weight was pruned', async () => {
  const { tensors, notes } = withPrunedWeights(
    checkpoint({
      'a.bias': floats(7),
      'a.weight_orig': floats(-1, 2, -3, 0.1),
      'a.weight_mask': floats(0, 0, 1, 0.7),
      attention_mask: floats(1),
    }),
  );
  expect([...tensors.keys()]).toEqual(['a.bias', 'a.weight', 'attention_mask']);
  expect(await tensors.get('a.weight')).toEqual(floats(-0, 0, -3, Math.fround(0.1) * Math.fround(0.7)));
  expect(tensors.info('a.weight')).toMatchObject({ shape: [4] });
  expect(await tensors.get('a.weight_orig')).toEqual(floats(-1, 2, -3, 0.1));
  expect(notes).toHaveLength(1);
});

test.each<[string, 'float16' | 'bfloat16', number, number]>([
  ['float16', 'float16', 0x3c00, 0x7e00],
  ['bfloat16', 'bfloat16', 0x3f80, 0x7fc0],
])('%s keeps its bits', async (_, dtype, one, nan) => {
  const half = (...bits: number[]) => tensor(dtype, [bits.length], Uint16Array.from(bits) as TensorData<typeof dtype>);
  const infinity = dtype === 'float16' ? 0x7c00 : 0x7f80;
  const values = { 'a.weight_orig': half(0x8001, 0x8001, infinity, 0x4242), 'a.weight_mask': half(one, 0, 0, one) };
  const { tensors } = withPrunedWeights(checkpoint(values));
  expect(await tensors.get('a.weight')).toEqual(half(0x8001, 0x8000, nan, 0x4242));
  const fractional = { ...values, 'a.weight_mask': floats(1, 0, 0, 0.5) };
  expect(await codeOf(() => withPrunedWeights(checkpoint(fractional)).tensors.get('a.weight'))).toBe('unsupported');
});

test('masks of other kinds', async () => {
  const orig = { 'a.weight_orig': floats(-1, 2) };
  const bools = tensor('bool', [2], Uint8Array.of(0, 1));
  const { tensors } = withPrunedWeights(checkpoint({ ...orig, 'a.weight_mask': bools }));
  expect(await tensors.get('a.weight')).toEqual(floats(-0, 2));
  const refused = async (extra: Record<string, Tensor>) =>
    codeOf(() => withPrunedWeights(checkpoint({ ...orig, ...extra })).tensors.get('a.weight'));
  expect(await refused({})).toBe('missing');
  expect(await refused({ 'a.weight_mask': floats(1) })).toBe('mismatch');
  expect(await refused({ 'a.weight_mask': bools, 'a.weight': floats(1, 2) })).toBe('mismatch');
  expect(await refused({ 'a.weight_mask': tensor('int64', [2], BigInt64Array.of(0n, 1n)) })).toBe('unsupported');
});

test('weight-orig-mask is weight-orig-mask-removed, bit for bit', async () => {
  const masked = await openCheckpoint(casePath('weight-orig-mask'));
  const removed = await openCheckpoint(casePath('weight-orig-mask-removed'));
  expect([...masked.tensors.keys()].sort()).toEqual([...removed.tensors.keys()].sort());
  expect([...removed.tensors.keys()]).toHaveLength(39);
  for (const name of removed.tensors.keys()) {
    expect(await masked.tensors.get(name), name).toEqual(await removed.tensors.get(name));
  }
  expect(masked.notes).toEqual([expect.stringContaining('torch.nn.utils.prune')]);
  await Promise.all([masked.close(), removed.close()]);
});
