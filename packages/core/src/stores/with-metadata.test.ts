import { expect, test, vi } from 'vitest';
import type { CsrRows } from '../stages/csr-rows.js';
import type { ElementaryStateDict, StateDict, TensorPieces } from '../stages/stages.js';
import { type Tensor, tensor } from '../tensors/tensor.js';
import type { ModelMetadata } from './metadata.js';
import { withMetadata } from './with-metadata.js';

const weight: Tensor = tensor('float32', [1, 2], Float32Array.of(0.5, 0));
const pieces: TensorPieces = { ...weight, pieces: async function* () {} };
const rows: CsrRows = { shape: [1, 2], nnz: 0, forEachRow() {} };
const metadata: ModelMetadata = { profile: 'qnnpack' };

test('nothing but names and values: a Map', async () => {
  const empty = withMetadata(new Map<string, Tensor>(), metadata);
  expect([[...empty.keys()], empty.get('w'), empty.metadata]).toEqual([[], undefined, metadata]);
  const map = withMetadata(new Map([['w', weight]]), metadata);
  expect([...map.keys()]).toEqual(['w']);
  expect(map.get('w')).toBe(weight);
  expect(map.pieces('w')).toBeUndefined();
  expect(await map.rows('w')).toBeUndefined();
});

// A new optional member of a stage does not compile here before it is listed, and fails below when it is lost.
const inner = {
  keys: vi.fn(() => ['w']),
  get: vi.fn(() => weight),
  info: vi.fn(() => weight),
  pieces: vi.fn(() => pieces),
  rows: vi.fn(async () => rows),
  selectRows: vi.fn(async () => [weight]),
} satisfies Required<StateDict & ElementaryStateDict>;
const members = Object.keys(inner) as (keyof typeof inner)[];

test.each(members)('%s asks the inner one', async (member) => {
  const store = { ...inner, metadata: { profile: 'fbgemm' } };
  const outer = withMetadata<Tensor>(store, metadata);
  expect(outer.metadata).toBe(metadata);
  inner[member].mockClear();
  const args = member === 'selectRows' ? [['w'], [0], undefined] : ['w'];
  expect(await Reflect.apply(outer[member], outer, args)).toBe(await inner[member].mock.results[0].value);
  if (member !== 'keys') expect(inner[member].mock.calls).toEqual([args]);
});
