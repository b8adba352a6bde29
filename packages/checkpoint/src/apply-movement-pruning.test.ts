import { readFileSync } from 'node:fs';
import { type StateDict, type Tensor, type TensorPieces, tensor } from '@prune/core';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { applyMovementPruning, type PruningMethod } from './apply-movement-pruning.js';

interface Case {
  readonly name: string;
  readonly method: PruningMethod;
  readonly threshold: number | null;
  readonly shape: number[];
  readonly scores: number[];
  readonly weight: number[];
  readonly pruned: number[];
}
const golden = JSON.parse(readFileSync(new URL('../test/golden/movement-pruning.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};
const f32 = (shape: readonly number[], values: Iterable<number>) => tensor('float32', shape, Float32Array.from(values));

async function prune(weight: Tensor, scores: Tensor, method: PruningMethod, threshold?: number): Promise<Float32Array> {
  const stateDict = new Map([
    ['x.weight', weight],
    ['x.mask_scores', scores],
  ]);
  return (await applyMovementPruning(stateDict, { method, threshold }).get('x.weight'))!.data as Float32Array;
}

test('no tensors, and a matrix without elements', async () => {
  const none = applyMovementPruning(new Map(), { method: 'topK', threshold: 0.1 });
  expect([...none.keys()]).toEqual([]);
  expect(await none.get('x')).toBeUndefined();
  for (const method of ['topK', 'sigmoied_threshold', 'magnitude', 'l0'] as const) {
    expect(await prune(f32([0, 3], []), f32([0, 3], []), method, 0.5)).toEqual(new Float32Array(0));
  }
});

test.each(golden.cases.filter(({ method }) => method !== 'l0'))('$method, $name: the bits of torch', async (c) => {
  const got = await prune(f32(c.shape, c.weight), f32(c.shape, c.scores), c.method, c.threshold ?? undefined);
  expect(new Uint32Array(got.buffer)).toEqual(new Uint32Array(Float32Array.from(c.pruned).buffer));
});

test.each(golden.cases.filter(({ method }) => method === 'l0'))('$method, $name: to 4 ulp of the mask', async (c) => {
  const got = await prune(f32(c.shape, c.weight), f32(c.shape, c.scores), 'l0');
  got.forEach((value, i) => {
    expect(value === 0).toBe(c.pruned[i] === 0);
    expect(Math.abs(value - c.pruned[i])).toBeLessThanOrEqual(4 * 2 ** -24 * Math.abs(c.weight[i]));
  });
});

test('topK keeps int(threshold * n), never a smaller score than one it drops, the first of equal ones', async () => {
  const score = fc.oneof(fc.float({ noNaN: true }), fc.integer({ min: -2, max: 2 }).map(Math.fround));
  await fc.assert(
    fc.asyncProperty(
      fc.array(score, { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (scores, threshold) => {
        const shape = [1, scores.length];
        const ones = f32(
          shape,
          scores.map(() => 1),
        );
        const mask = await prune(ones, f32(shape, scores), 'topK', threshold);
        const wanted = new Float32Array(scores.length);
        const order = scores
          .map((_, i) => i)
          .sort((a, b) => (scores[a] === scores[b] ? a - b : scores[a] < scores[b] ? 1 : -1));
        for (const i of order.slice(0, Math.trunc(threshold * scores.length))) wanted[i] = 1;
        expect(mask).toEqual(wanted);
      },
    ),
  );
});

test('what is not masked is the same tensor; scores are no names; half precision is widened', async () => {
  const copied = [
    'bert.embeddings.word_embeddings.weight',
    'bert.encoder.layer.0.attention.output.LayerNorm.weight',
    'bert.encoder.layer.0.output.dense.bias',
    'bert.pooler.dense.weight',
    'qa_outputs.weight',
    'classifier.weight',
    'cls.predictions.transform.dense.weight',
  ];
  const stateDict = new Map<string, Tensor>(copied.map((name) => [name, f32([1, 2], [1, -2])]));
  const dense = 'bert.encoder.layer.0.output.dense';
  stateDict.set(`${dense}.weight`, tensor('float16', [1, 2], Uint16Array.of(0x3c00, 0xc000)));
  stateDict.set(`${dense}.mask_scores`, f32([1, 2], [3, -3]));
  const pruned = applyMovementPruning(stateDict, { method: 'topK', threshold: 0.5 });
  expect([...pruned.keys()]).toEqual([...copied, `${dense}.weight`]);
  for (const name of copied) expect(await pruned.get(name)).toBe(stateDict.get(name));
  expect(await pruned.get(`${dense}.weight`)).toEqual(f32([1, 2], [1, -0]));
  expect(await pruned.get(`${dense}.mask_scores`)).toBeUndefined();
});

test('bad options, missing, misshapen and NaN scores are refused', async () => {
  const one = f32([1, 1], [1]);
  const apply = (method: string, threshold?: number) => () =>
    applyMovementPruning(new Map(), { method: method as PruningMethod, threshold });
  for (const bad of [
    apply('topk', 0.1),
    apply('topK'),
    apply('magnitude', 1.1),
    apply('sigmoied_threshold', Number.NaN),
  ]) {
    expect(bad).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  }
  const options = { method: 'topK', threshold: 0.5 } as const;
  const alone = applyMovementPruning(new Map([['x.weight', one]]), options);
  await expect(alone.get('x.weight')).rejects.toMatchObject({
    code: 'missing',
    tensor: 'x.weight',
    wanted: 'x.mask_scores',
  });
  await expect(prune(one, f32([1], [1]), 'topK', 0.5)).rejects.toMatchObject({ code: 'mismatch' });
  await expect(prune(one, f32([1, 1], [Number.NaN]), 'topK', 0.5)).rejects.toMatchObject({ code: 'not-finite' });
});

// A new optional member of a state dict does not compile here before it is listed, and fails below when it is lost.
const copied = f32([1, 2], [0.5, 0]);
const pieces: TensorPieces = { ...copied, pieces: async function* () {} };
const inner = {
  keys: vi.fn(() => ['qa_outputs.weight', 'x.weight', 'x.mask_scores']),
  get: vi.fn(() => copied),
  pieces: vi.fn(() => pieces),
} satisfies Required<StateDict>;

test.each(['get', 'pieces'] as const)('%s of a tensor that is not masked asks the inner one', async (member) => {
  const pruned = applyMovementPruning(inner, { method: 'topK', threshold: 0.5 }) as Required<StateDict>;
  expect(Object.keys(pruned).sort()).toEqual(Object.keys(inner).sort());
  expect(await pruned[member]('qa_outputs.weight')).toBe(inner[member].mock.results.at(-1)?.value);
  expect(inner[member].mock.calls.at(-1)).toEqual(['qa_outputs.weight']);
});

test('a masked matrix, its scores and an unknown name have no pieces', () => {
  const pruned = applyMovementPruning(inner, { method: 'topK', threshold: 0.5 }) as Required<StateDict>;
  for (const name of ['x.weight', 'x.mask_scores', 'y.bias']) expect(pruned.pieces(name)).toBeUndefined();
});
