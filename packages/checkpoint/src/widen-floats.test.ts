import { type StateDict, type Tensor, type TensorPieces, tensor } from '@prune/core';
import { expect, test, vi } from 'vitest';
import { widenFloats } from './widen-floats.js';

const one = tensor('float32', [1], Float32Array.of(1));
const ids = tensor('int64', [1], BigInt64Array.of(1n));
const values = new Map<string, Tensor>([
  ['ids', ids],
  ['f32', one],
  ['f16', tensor('float16', [1], Uint16Array.of(0x3c00))],
  ['bf16', tensor('bfloat16', [1], Uint16Array.of(0x3f80))],
]);

test('no tensors', async () => {
  const none = widenFloats(new Map());
  expect([...none.keys()]).toEqual([]);
  expect(await none.get('x')).toBeUndefined();
  expect(none.pieces?.('x')).toBeUndefined();
});

test('half precision is widened, other tensors are given as they are', async () => {
  const widened = widenFloats(values);
  expect([...widened.keys()]).toEqual(['ids', 'f32', 'f16', 'bf16']);
  expect(await widened.get('ids')).toBe(ids);
  expect(await widened.get('f32')).toBe(one);
  expect(await widened.get('f16')).toEqual(one);
  expect(await widened.get('bf16')).toEqual(one);
});

const piecesOf = ({ dtype, data }: Tensor): TensorPieces => ({
  dtype,
  shape: [2, 1],
  async *pieces() {
    for (let i = 0; i < 2; i++) yield { dtype, shape: [1], data } as Tensor;
  },
});

test('each piece of half precision is widened, other pieces are given as they are', async () => {
  const pieces = new Map([...values].map(([name, value]) => [name, piecesOf(value)]));
  const inner: StateDict = { keys: () => values.keys(), get: () => undefined, pieces: (name) => pieces.get(name) };
  const widened = widenFloats(inner) as Required<StateDict>;
  expect(widened.pieces('x')).toBeUndefined();
  expect(widened.pieces('ids')).toBe(pieces.get('ids'));
  expect(widened.pieces('f32')).toBe(pieces.get('f32'));
  for (const name of ['f16', 'bf16']) {
    const half = widened.pieces(name)!;
    expect(half).toMatchObject({ dtype: 'float32', shape: [2, 1] });
    const got: Tensor[] = [];
    for await (const piece of half.pieces()) got.push(piece);
    expect(got).toEqual([one, one]);
  }
});

// A new optional member of a state dict does not compile here before it is listed, and fails below when it is lost.
const inner = {
  keys: vi.fn(() => ['w']),
  get: vi.fn(() => one),
  pieces: vi.fn(() => piecesOf(one)),
} satisfies Required<StateDict>;

test.each(Object.keys(inner) as (keyof typeof inner)[])('%s asks the inner one', async (member) => {
  const widened = widenFloats(inner) as Required<StateDict>;
  inner[member].mockClear();
  expect(await widened[member]('w')).toBe(inner[member].mock.results[0].value);
  if (member !== 'keys') expect(inner[member].mock.calls).toEqual([['w']]);
});
