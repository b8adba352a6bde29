import { activationQuantization, rint } from '@prune/quant';
import { expect, test } from 'vitest';
import { createEngine, type Kernels } from '../src/index.js';
import { EVERYWHERE, enginesOn, noRelaxedSimd, RELAXED } from './kernels.js';
import { random, randomLayers } from './random-encoder.js';
import { differentBits } from './same-bits.js';

// Zero point and largest value are both halves that round up, so the largest code of the 7-bit range is 128.
const [MIN, MAX] = [-1.5, 125.5];

test('the code 128 of a 7-bit range', () => {
  const { inverse, zeroPoint } = activationQuantization(MIN, MAX, 'fbgemm');
  expect(rint(MAX * inverse) + zeroPoint).toBe(128);
});

const NAME = '%s: a tile with the code 128 has the bits of the reference, its neighbours too';
test.each(EVERYWHERE)(NAME, sameBits);
test.skipIf(noRelaxedSimd).each(RELAXED)(NAME, sameBits);

async function sameBits(kernels: Kernels | 'auto') {
  const next = random(5);
  const hidden = 32;
  const layers = randomLayers(next, 1, hidden, 64, { density: 1 });
  const spec = { layers, heads: 2, activation: 'gelu', layerNormEps: 1e-12, profile: 'fbgemm' } as const;
  // Three tiles; the code is in the second alone, the smallest value in the third.
  const lengths = [32, 32, 20];
  const input = Float32Array.from({ length: 84 * hidden }, () => Math.fround(MIN + next() * (MAX - MIN - 2) + 0.5));
  input[70 * hidden] = MIN;
  const reference = await (await createEngine({ kernels: 'reference' })).loadEncoder(spec);
  for (const [name, engine] of await enginesOn(kernels)) {
    const encoder = await engine.loadEncoder(spec);
    for (const token of [32, 40, 51, 63]) {
      const largest = input.slice();
      largest[token * hidden + 7] = MAX;
      const wanted = (await reference.forward(largest, lengths)).last;
      expect(differentBits((await encoder.forward(largest, lengths)).last, wanted), name).toBe('');
    }
  }
}
