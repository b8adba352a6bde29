import { type Elementary, type Tensor, tensor } from '@prune/core';
import { codeOf } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { decompose } from './decompose.js';
import { recompose, recomposeSparse } from './recompose.js';
import { withNotebookDtypes } from './with-notebook-dtypes.js';

const WEIGHT = 'm._packed_params.weight';

async function elementary(): Promise<Map<string, Elementary>> {
  const map = new Map<string, Elementary>();
  const linear = {
    kind: 'linear',
    weight: { shape: [2, 3], intRepr: Int8Array.of(0, 5, 0, 100, 0, 127) },
    qscheme: 'per_tensor_affine',
    scales: Float64Array.of(0.5),
    bias: null,
  } as const;
  for await (const [name, value] of decompose(new Map([['m', linear]]))) map.set(name, value);
  return map;
}

const ARRAYS = {
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
};
const DTYPES = [...(Object.keys(ARRAYS) as (keyof typeof ARRAYS)[]), 'int64'] as const;

function inDtype({ shape, data }: Tensor, dtype: (typeof DTYPES)[number]): Tensor {
  const values = Array.from(data as Int32Array, Number);
  if (dtype === 'int64') return tensor(dtype, shape, BigInt64Array.from(values, BigInt));
  return tensor(dtype, shape, ARRAYS[dtype].from(values));
}

const PARTS = ['int_repr.indices', 'int_repr.indptr', 'int_repr.shape', 'zero_point'];

test.each([...PARTS.map((part) => `${WEIGHT}.${part}`), 'm.zero_point'])(
  '%s in every integer dtype: the same module, and the same copy',
  async (name) => {
    const plain = await elementary();
    const wanted = await recompose(plain).get('m');
    for (const dtype of DTYPES) {
      const other = new Map(plain).set(name, inDtype(plain.get(name) as Tensor, dtype));
      expect(await recompose(other).get('m'), dtype).toEqual(wanted);
      const copy = (await withNotebookDtypes(other).get(name)) as Tensor;
      // The notebook has two dtypes for indices.
      const last = name.endsWith('indices') && dtype !== 'uint16' ? 'int32' : (plain.get(name) as Tensor).dtype;
      expect([copy.dtype, ...Array.from(copy.data as Int32Array, Number)]).toEqual([
        last,
        ...Array.from((plain.get(name) as Tensor).data as Int32Array, Number),
      ]);
    }
  },
);

test.each([
  ['int_repr.indices', tensor('int64', [3], BigInt64Array.of(1n, 2n ** 32n, 2n))],
  ['int_repr.indptr', tensor('uint32', [3], Uint32Array.of(0, 1, 2 ** 32 - 1))],
])('%s out of range is corrupt', async (part, value) => {
  const other = (await elementary()).set(`${WEIGHT}.${part}`, value);
  expect(await codeOf(() => recomposeSparse(other).get('m'))).toBe('corrupt');
  expect(await codeOf(() => withNotebookDtypes(other).get(`${WEIGHT}.${part}`))).toBe('corrupt');
});

test('floats and bools are no integers, and other tensors stay as they are', async () => {
  const bools = tensor('float32', [3], Float32Array.of(0, 1, 3));
  const other = (await elementary()).set(`${WEIGHT}.int_repr.indptr`, bools);
  expect(await codeOf(() => recomposeSparse(other).get('m'))).toBe('mismatch');
  const plain = tensor('int32', [1], Int32Array.of(3));
  const names = ['n.zero_point', 'position_ids', 'n.weight.int_repr.shape'];
  const tensors = withNotebookDtypes(new Map<string, Elementary>(names.map((name) => [name, plain])));
  for (const name of names) expect(await tensors.get(name)).toBe(plain);
});
