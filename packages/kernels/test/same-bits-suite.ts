import { expect, test } from 'vitest';
import { createEngine, type EncoderSpec, type Engine } from '../src/index.js';
import { normals, type PrunedSizes, random, randomLayers } from './random-encoder.js';
import { differentBits } from './same-bits.js';

interface Case {
  readonly name: string;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly lengths: number[];
  readonly keyLengths?: number[];
  readonly density?: number;
  readonly kind?: 'int8' | 'float';
  readonly spec?: Partial<EncoderSpec>;
  readonly channels?: boolean;
  readonly bias?: boolean;
  readonly large?: boolean;
  readonly inputNorm?: boolean;
  readonly small?: boolean;
  readonly pruned?: readonly PrunedSizes[];
}

const CASES: Case[] = [
  { name: 'no token', hidden: 8, intermediate: 16, heads: 2, lengths: [] },
  { name: 'one token', hidden: 8, intermediate: 16, heads: 2, lengths: [1] },
  {
    name: 'odd head size, sequences that end inside a vector',
    hidden: 21,
    intermediate: 50,
    heads: 3,
    lengths: [5, 3, 1, 7],
  },
  { name: 'tile and a half', hidden: 64, intermediate: 128, heads: 4, lengths: [48] },
  { name: 'more tiles than threads', hidden: 16, intermediate: 40, heads: 2, lengths: [90, 5, 70] },
  { name: 'masked keys', hidden: 64, intermediate: 100, heads: 4, lengths: [37, 9, 12], keyLengths: [30, 2, 12] },
  { name: 'sequences of no token', hidden: 16, intermediate: 32, heads: 2, lengths: [0, 4, 0, 3] },
  { name: 'two blocks of columns', hidden: 64, intermediate: 1000, heads: 1, lengths: [35] },
  // Rows sum up to more than 2^24, where an int32 sum is no float32 any more.
  { name: 'large sums', hidden: 8, intermediate: 7000, heads: 1, lengths: [5], density: 1, large: true },
  {
    name: 'a LayerNorm over the input, a tile and a part of a second',
    hidden: 24,
    intermediate: 40,
    heads: 2,
    lengths: [33, 6],
    inputNorm: true,
  },
  // What a larger batch left in the last lanes is far outside of the range of this one.
  { name: 'small numbers in a part of a tile', hidden: 16, intermediate: 32, heads: 2, lengths: [11, 5], small: true },
  { name: 'dense', hidden: 48, intermediate: 96, heads: 3, lengths: [33], density: 1 },
  { name: 'empty matrices', hidden: 16, intermediate: 32, heads: 2, lengths: [9], density: 0 },
  { name: 'float', hidden: 30, intermediate: 60, heads: 2, lengths: [41, 3], kind: 'float', density: 0.5 },
  {
    name: 'channels, no bias, relu',
    hidden: 32,
    intermediate: 64,
    heads: 2,
    lengths: [40],
    channels: true,
    bias: false,
    spec: { activation: 'relu' },
  },
  {
    name: 'pruned heads and neurons, the fewest in the first layer',
    hidden: 40,
    intermediate: 90,
    heads: 4,
    lengths: [37, 3, 9],
    keyLengths: [30, 3, 9],
    pruned: [
      { width: 10, intermediate: 7 },
      { width: 30, intermediate: 83 },
    ],
  },
  {
    name: 'pruned heads and neurons, the fewest in the last layer, float',
    hidden: 21,
    intermediate: 50,
    heads: 3,
    lengths: [5, 3, 33],
    kind: 'float',
    pruned: [
      { width: 14, intermediate: 50 },
      { width: 7, intermediate: 1 },
    ],
  },
  {
    name: 'layers without a head, and without a neuron',
    hidden: 20,
    intermediate: 30,
    heads: 4,
    lengths: [5, 31],
    pruned: [
      { width: 0, intermediate: 13 },
      { width: 5, intermediate: 0 },
    ],
  },
  {
    name: 'nothing left of a layer, channels, no bias',
    hidden: 8,
    intermediate: 16,
    heads: 2,
    lengths: [9],
    channels: true,
    bias: false,
    pruned: [
      { width: 0, intermediate: 0 },
      { width: 4, intermediate: 5 },
    ],
  },
  {
    name: 'nothing left of a layer, float',
    hidden: 12,
    intermediate: 24,
    heads: 2,
    lengths: [3, 30],
    kind: 'float',
    density: 0.5,
    pruned: [
      { width: 6, intermediate: 11 },
      { width: 0, intermediate: 0 },
    ],
  },
  { name: 'gelu_new', hidden: 32, intermediate: 64, heads: 2, lengths: [40], spec: { activation: 'gelu_new' } },
];

// `onnxruntime` differs from `qnnpack` in how activations are quantized alone, which attention does not see.
const MODES = (['fbgemm', 'onnxruntime', 'fbgemm-1.5', 'qnnpack'] as const).flatMap((profile) =>
  (profile === 'onnxruntime' ? (['float32'] as const) : (['float32', 'int16'] as const)).flatMap((attention) =>
    [false, true].map((rowwise) => ({ profile, attention, rowwise })),
  ),
);

/** One mode of each phase: for engines that take long to start, or to compute. */
export const FEW_MODES: readonly unknown[] = [MODES[0], MODES.at(-1)];

/** Tests that engines give the bits of the reference. `takes`: which modes an engine is tried with. */
export function sameBitsOn(
  engines: readonly (readonly [name: string, engine: Engine])[],
  takes: (name: string, engine: Engine, mode: unknown) => boolean,
): void {
  test.each(CASES)('$name: every kernel and number of threads gives the bits of the reference', (given) =>
    sameBits(given, engines, takes),
  );
}

async function sameBits(
  given: Case,
  engines: Parameters<typeof sameBitsOn>[0],
  takes: Parameters<typeof sameBitsOn>[1],
) {
  const next = random(given.hidden * 1000 + given.intermediate);
  const layers = randomLayers(next, 2, given.hidden, given.intermediate, { density: 0.3, ...given }, given.pruned);
  const tokens = given.lengths.reduce((sum, length) => sum + length, 0);
  const input = normals(next, tokens * given.hidden).map((value) => (given.small ? 1e-4 * value : value));
  const before = normals(next, 70 * given.hidden);
  const reference = await createEngine({ kernels: 'reference' });
  const options = { keyLengths: given.keyLengths, hiddenStates: true };
  for (const mode of MODES) {
    const spec: EncoderSpec = {
      layers,
      heads: given.heads,
      activation: 'gelu',
      layerNormEps: 1e-12,
      inputNorm: given.inputNorm ? layers[0].outputNorm : undefined,
      ...mode,
      ...given.spec,
    };
    const wanted = await (await reference.loadEncoder(spec)).forward(input, given.lengths, options);
    for (const [name, engine] of engines) {
      if (!takes(name, engine, mode)) continue;
      const encoder = await engine.loadEncoder(spec);
      const what = `${name} ${JSON.stringify(mode)}`;
      // Leaves its numbers in the lanes that this batch does not fill.
      await encoder.forward(before, [70]);
      const got = await encoder.forward(input, given.lengths, options);
      expect(got.all).toHaveLength(3);
      for (let layer = 0; layer <= 2; layer++) {
        expect(differentBits(got.all![layer], wanted.all![layer]), `${what} after ${layer} layers`).toBe('');
      }
      expect(
        differentBits(
          (await encoder.forward(input, given.lengths, { keyLengths: given.keyLengths })).last,
          wanted.last,
        ),
        what,
      ).toBe('');
      encoder.close();
    }
  }
}
