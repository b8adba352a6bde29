import { type CsrMatrix, type Elementary, isPruneError, type Tensor } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { decompose } from './decompose.js';
import { recompose, recomposeSparse } from './recompose.js';
import { toCsr } from './to-csr.js';
import { validateCsr } from './validate-csr.js';

const factor = Number(process.env.PRUNE_FUZZ ?? 1);
const INPUTS = Math.round(4000 * factor);

/** xorshift32: the same inputs on every machine. */
function generator(seed: number) {
  let state = seed;
  return (below: number) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

type Below = (below: number) => number;
const EXTREMES = [
  0,
  1,
  -1,
  2,
  127,
  -128,
  255,
  65_535,
  65_536,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 40,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];

function mutateArray<T extends Tensor['data']>(array: T, below: Below): T {
  const copy = array.slice() as T;
  const pick = EXTREMES[below(EXTREMES.length)];
  const bytes = new Uint8Array(copy.buffer);
  switch (below(5)) {
    case 0:
      return copy.subarray(0, below(copy.length + 1)) as T;
    case 1:
      if (bytes.length > 0) bytes[below(bytes.length)] ^= 1 << below(8);
      return copy;
    case 2:
      return copy.sort() as T;
    case 3: {
      const grown = new (array.constructor as new (n: number) => T)(array.length + 1 + below(3));
      (grown as Uint8Array).set(copy as Uint8Array);
      return grown;
    }
    default:
      if (copy.length > 0) {
        const value = copy instanceof BigInt64Array ? BigInt(Number.isFinite(pick) ? pick : 7) : pick;
        (copy as Record<number, number | bigint>)[below(copy.length)] = value;
      }
      return copy;
  }
}

function mutate(golden: ReadonlyMap<string, Elementary>, below: Below): Map<string, Elementary> {
  const names = [...golden.keys()];
  const mutated = new Map(golden);
  for (let n = 1 + below(2); n > 0; n--) {
    const name = names[below(names.length)];
    const value = golden.get(name) as Elementary;
    const other = golden.get(names[below(names.length)]) as Elementary;
    switch (below(6)) {
      case 0:
        mutated.delete(name);
        break;
      case 1:
        mutated.set(name, other);
        break;
      case 2: {
        const at = below(name.length);
        mutated.delete(name);
        mutated.set(name.slice(0, at) + String.fromCharCode(below(128)) + name.slice(at + below(2)), value);
        break;
      }
      case 3:
        if (typeof value === 'object') {
          const shape = value.shape.length === 0 ? [1] : value.shape.map((n) => n + below(3) - 1);
          mutated.set(name, { ...value, shape, data: mutateArray(value.data, below) } as Tensor);
        } else mutated.set(name, value.slice(below(value.length)));
        break;
      default:
        if (typeof value === 'object') {
          const data = mutateArray(value.data, below);
          const shape = value.shape.length === 1 ? [data.length] : value.shape;
          if (shape.reduce((a, b) => a * b, 1) === data.length) mutated.set(name, { ...value, shape, data } as Tensor);
        }
    }
  }
  return mutated;
}

/** A module of the golden model with a table of embeddings beside it, small enough to be mutated thousands of times. */
function base(): Map<string, Elementary> {
  const all = readNpz(goldenPath('tiny/elementary.npz'));
  const few = new Map(
    [...all].filter(([name]) => name.includes('layer.0.attention.self.query') || name.includes('qa_outputs')),
  );
  const P = 'table._packed_params';
  few.set(`${P}.dtype`, 'quint4x2');
  few.set(`${P}._packed_weight.scale`, { dtype: 'float32', shape: [3], data: Float32Array.of(1, 2, 3) });
  few.set(`${P}._packed_weight.zero_point`, { dtype: 'float32', shape: [3], data: Float32Array.of(0, 1, -2) });
  few.set(`${P}._packed_weight.int_repr`, { dtype: 'uint8', shape: [3, 2], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  few.set(`${P}._packed_weight.int_repr.shape`, { dtype: 'int64', shape: [2], data: BigInt64Array.of(3n, 3n) });
  // One module as writers with other integers have it.
  for (const [name, value] of few) {
    if (typeof value !== 'object' || !/qa_outputs.*(?:indptr|indices|shape)$/.test(name)) continue;
    const numbers = Array.from(value.data as Int32Array, Number);
    if (value.dtype === 'int64') few.set(name, { ...value, dtype: 'int32', data: Int32Array.from(numbers) });
    else few.set(name, { ...value, dtype: 'int64', data: BigInt64Array.from(numbers, BigInt) });
  }
  few.set('norm.weight', { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) });
  return few;
}

test(`recompose: ${INPUTS} mutated inputs give a typed error or a valid model`, async () => {
  const golden = base();
  const below = generator(0x9e3779b9);
  const outcomes = { valid: 0, refused: 0 };
  for (let i = 0; i < INPUTS; i++) {
    const mutated = mutate(golden, below);
    try {
      const sparse = recomposeSparse(mutated);
      for (const name of sparse.keys()) {
        const entry = await sparse.get(name);
        if (entry !== undefined && 'kind' in entry && entry.kind === 'linear') validateCsr(entry.weight);
      }
      // What is accepted can be written again, and read again.
      const again = new Map<string, Elementary>();
      for await (const [name, value] of decompose(recompose(mutated))) again.set(name, value);
      expect([...recompose(again).keys()]).toEqual([...sparse.keys()]);
      outcomes.valid++;
    } catch (error) {
      if (!isPruneError(error)) throw error;
      outcomes.refused++;
    }
  }
  expect(outcomes.valid).toBeGreaterThan(INPUTS / 20);
  expect(outcomes.refused).toBeGreaterThan(INPUTS / 4);
});

/** The invariants once more, slowly and in other words. */
function isValid({ shape: [rows, columns], indptr, indices, data }: CsrMatrix): boolean {
  const wide = indices instanceof Int32Array;
  if (wide !== columns > 65_535 || indptr.length !== rows + 1 || indptr[0] !== 0 || data.includes(0)) return false;
  if (indptr[rows] !== data.length || indices.length !== data.length) return false;
  return Array.from(indptr.subarray(1)).every((end, row) => {
    const line = Array.from(indices.slice(indptr[row], end));
    return (
      end >= indptr[row] &&
      line.every((column, k) => column >= 0 && column < columns && (k === 0 || column > line[k - 1]))
    );
  });
}

test(`validateCsr: ${INPUTS} mutated matrices are refused exactly when they are invalid`, () => {
  const below = generator(0x2545f491);
  const outcomes = { valid: 0, refused: 0 };
  for (let i = 0; i < INPUTS; i++) {
    const [rows, columns] = [below(6), 1 + below(7)];
    const intRepr = Int8Array.from({ length: rows * columns }, () => (below(3) === 0 ? below(256) - 128 : 0));
    const csr = toCsr({ shape: [rows, columns], intRepr });
    const field = (['indptr', 'indices', 'data', 'shape'] as const)[below(4)];
    const mutated =
      field === 'shape'
        ? { ...csr, shape: [rows + below(3) - 1, columns + below(3) - 1] as const }
        : { ...csr, [field]: mutateArray(csr[field] as Int32Array<ArrayBuffer>, below) };
    let refused = false;
    try {
      validateCsr(mutated);
    } catch (error) {
      if (!isPruneError(error)) throw error;
      refused = true;
    }
    expect(refused).toBe(!isValid(mutated));
    outcomes[refused ? 'refused' : 'valid']++;
  }
  expect(Math.min(outcomes.valid, outcomes.refused)).toBeGreaterThan(INPUTS / 10);
});
