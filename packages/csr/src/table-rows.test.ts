import { type Elementary, type QuantizedEmbedding, type Tensor, tensor } from '@prune/core';
import { type RowStore, rowStore } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { decompose } from './decompose.js';
import { recomposeRows } from './recompose.js';

/** 5 rows of 3 elements: an odd number, so that a row of 4 bits ends within a byte. */
const table = (bits: 8 | 4): QuantizedEmbedding => ({
  kind: 'embedding',
  bits,
  shape: [5, 3],
  intRepr: Uint8Array.from({ length: bits === 8 ? 15 : 10 }, (_, i) => i * 16),
  scales: Float32Array.of(1, 2, 3, 4, 5),
  zeroPoints: Float32Array.of(-1, -2, -3, -4, -5),
});
const floats = tensor(
  'float16',
  [5, 3],
  Uint16Array.from({ length: 15 }, (_, i) => i),
);
const values = new Map<string, Elementary>([
  ['float', floats],
  ['scalar', tensor('float32', [], Float32Array.of(1))],
]);
for await (const [name, value] of decompose(
  new Map([
    ['int8', table(8)],
    ['int4', table(4)],
  ]),
)) {
  values.set(name, value);
}
const tableOf = async (store: Partial<RowStore>, name: string) =>
  (await recomposeRows({ ...rowStore(values), ...store }).tableRows(name))!;
const SCALE = 'int8._packed_params._packed_weight.scale';
const INT_REPR = 'int8._packed_params._packed_weight.int_repr';

/** A store with one value changed. */
const changed = (name: string, change: (value: Tensor) => object) =>
  rowStore(new Map(values).set(name, { ...(values.get(name) as Tensor), ...change(values.get(name) as Tensor) }));

test('no rows: what the store can do, in the right dtype', async () => {
  const rows = await tableOf({}, 'float');
  expect(rows.shape).toEqual([5, 3]);
  expect(await rows.select([])).toEqual(tensor('float16', [0, 3], new Uint16Array()));
  expect(await (await tableOf({}, 'int4')).select([])).toMatchObject({ shape: [0, 3], intRepr: new Uint8Array() });
});

test.each([8, 4] as const)('rows of a table of %d bits, from one call, in the order asked for', async (bits) => {
  const store = rowStore(values);
  const rows = await tableOf(store, `int${bits}`);
  expect(rows.shape).toEqual([5, 3]);
  const { intRepr } = table(bits);
  const stride = intRepr.length / 5;
  expect(await rows.select([4, 0, 4])).toEqual({
    kind: 'embedding',
    bits,
    shape: [3, 3],
    intRepr: Uint8Array.from([4, 0, 4].flatMap((row) => [...intRepr.slice(row * stride, (row + 1) * stride)])),
    scales: Float32Array.of(5, 1, 5),
    zeroPoints: Float32Array.of(-5, -1, -5),
  });
  expect(store.asked.map(({ names }) => names.length)).toEqual([3]);
  expect(store.read.filter((name) => /(scale|zero_point|int_repr)$/.test(name))).toEqual([]);
});

test('rows of floats stay in their dtype, and the signal goes to the store', async () => {
  const store = rowStore(values);
  const { signal } = new AbortController();
  const rows = await tableOf(store, 'float');
  expect(await rows.select([2], { signal })).toEqual(tensor('float16', [1, 3], Uint16Array.of(6, 7, 8)));
  expect(store.asked).toEqual([{ names: ['float'], rows: [2], signal }]);
});

test('a store that has whole tables only', async () => {
  expect(await recomposeRows(values).tableRows('float')).toBeUndefined();
  expect(await recomposeRows(rowStore(values)).tableRows('none')).toBeUndefined();
  expect(await recomposeRows(rowStore(values)).tableRows('scalar')).toBeUndefined();
  expect(await tableOf({ info: () => undefined }, 'float')).toBeUndefined();
  const wholeOnly = { selectRows: async () => undefined };
  for (const name of ['float', 'int8']) expect(await (await tableOf(wholeOnly, name)).select([0])).toBeUndefined();
});

test.each([5, -1, 0.5, Number.NaN])('%d is not a row: the store is not asked', async (row) => {
  for (const name of ['float', 'int8']) {
    const store = rowStore(values);
    const rows = await tableOf(store, name);
    await expect(rows.select([0, row])).rejects.toMatchObject({ code: 'invalid-argument', tensor: name });
    expect(store.asked).toEqual([]);
  }
});

test('parts that do not fit the shape, before any row is read', async () => {
  const store = changed(SCALE, () => ({ shape: [4] }));
  await expect(recomposeRows(store).tableRows('int8')).rejects.toMatchObject({ code: 'mismatch', tensor: SCALE });
  expect(store.asked).toEqual([]);
});

test.each<[string, string, (value: Tensor) => object, object]>([
  ['another dtype', INT_REPR, () => ({ dtype: 'int8', data: new Int8Array(15) }), { code: 'mismatch' }],
  ['narrower codes', INT_REPR, () => ({ shape: [5, 2], data: new Uint8Array(10) }), { code: 'mismatch' }],
  [
    'a scale of 0, which is named by its row in the whole table',
    SCALE,
    () => ({ data: Float32Array.of(1, 1, 1, 0, 1) }),
    { code: 'corrupt', what: 'element 3 is no scale' },
  ],
  [
    'a zero point that is not a number',
    'int8._packed_params._packed_weight.zero_point',
    () => ({ data: Float32Array.of(1, 1, 1, Number.NaN, 1) }),
    { code: 'corrupt', what: 'element 3' },
  ],
])('bad rows: %s', async (_, name, change, error) => {
  const rows = (await recomposeRows(changed(name, change)).tableRows('int8'))!;
  await expect(rows.select([1, 3])).rejects.toMatchObject({ ...error, tensor: name });
});

test('a store that gives another number of rows, or fewer tensors', async () => {
  const short = await tableOf({ selectRows: async () => [tensor('float16', [1, 3], new Uint16Array(3))] }, 'float');
  await expect(short.select([1, 2])).rejects.toMatchObject({ code: 'mismatch', tensor: 'float' });
  const none = await tableOf({ selectRows: async () => [] }, 'int8');
  await expect(none.select([1])).rejects.toMatchObject({ code: 'missing', tensor: SCALE });
});
