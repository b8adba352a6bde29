import { activationQuantization, rint } from '@prune/quant';
import { expect, test } from 'vitest';
import { createEngine } from '../src/index.js';
import { random, randomLayers } from './random-encoder.js';
import { differentBits } from './same-bits.js';

// Zero point and largest value are both halves that round up, so the largest code of the 7-bit range is 128.
const [MIN, MAX] = [-1.5, 125.5];

test('the code 128 of a 7-bit range', () => {
  const { inverse, zeroPoint } = activationQuantization(MIN, MAX, 'fbgemm');
  expect(rint(MAX * inverse) + zeroPoint).toBe(128);
});

test.each(['wasm-simd', 'auto'] as const)(
  '%s: a tile with the code 128 has the bits of the reference, its neighbours too',
  async (kernels) => {
    const next = random(5);
    const hidden = 32;
    const layers = randomLayers(next, 1, hidden, 64, { density: 1 });
    const spec = { layers, heads: 2, activation: 'gelu', layerNormEps: 1e-12, profile: 'fbgemm' } as const;
    // Three tiles; the code is in the second alone, the smallest value in the third.
    const lengths = [32, 32, 20];
    const input = Float32Array.from({ length: 84 * hidden }, () => Math.fround(MIN + next() * (MAX - MIN - 2) + 0.5));
    input[40 * hidden + 7] = MAX;
    input[70 * hidden] = MIN;
    const wanted = (await (await createEngine({ kernels: 'reference' })).loadEncoder(spec)).forward(
      input,
      lengths,
    ).last;
    const got = (await (await createEngine({ kernels })).loadEncoder(spec)).forward(input, lengths).last;
    expect(differentBits(got, wanted)).toBe('');
  },
);
