import { DEFAULT_LIMITS, randomAccess } from '@prune/core';
import { expect, test } from 'vitest';
import { joined, varint } from '../../test/make-onnx.js';
import { TensorReader } from './tensor-reader.js';

test('int64_data: the largest integer, negative ones and zero', async () => {
  const all = [2n ** 63n - 1n, -(2n ** 63n), -1n, 0n, 300n];
  const bytes = joined(all.map(varint));
  const reader = new TensorReader(randomAccess(bytes, 'model.onnx'), DEFAULT_LIMITS, undefined);
  const tensor = { name: 'ends', dtype: 'int64', shape: [5] } as const;
  const data = { kind: 'varints', begin: 0, end: bytes.length } as const;
  expect(await reader.read({ ...tensor, data })).toEqual({ dtype: 'int64', shape: [5], data: BigInt64Array.from(all) });
  await expect(reader.read({ ...tensor, shape: [4], data })).rejects.toMatchObject({
    code: 'mismatch',
    where: 'model.onnx',
    tensor: 'ends',
  });
});
