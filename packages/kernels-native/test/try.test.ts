import { createEngine, type EncoderSpec } from '@prune/kernels';
import { expect, test } from 'vitest';
import { loadAddon } from '../src/addon.js';
import { nativeEngineOn } from '../src/native-engine.js';
import { normals, random, randomLayers } from '../../kernels/test/random-encoder.js';
import { differentBits } from '../../kernels/test/same-bits.js';

test('first', async () => {
  const addon = loadAddon();
  console.log(addon.available(), addon.emulated());
  expect(addon.probe(1)).toBe(true);
  const next = random(1);
  const layers = randomLayers(next, 2, 64, 1000, { density: 0.3 });
  const reference = await createEngine({ kernels: 'reference' });
  const native = nativeEngineOn(addon, 1, 1);
  for (const lengths of [[1], [5, 3], [40, 7], [70]]) {
    const tokens = lengths.reduce((a, b) => a + b, 0);
    const input = normals(next, tokens * 64);
    for (const profile of ['fbgemm', 'fbgemm-1.5', 'qnnpack', 'onnxruntime'] as const)
      for (const rowwise of [false, true])
        for (const attention of ['float32', 'int16'] as const) {
          const spec: EncoderSpec = { layers, heads: 4, activation: 'gelu', layerNormEps: 1e-12, profile, rowwise, attention };
          const a = await (await reference.loadEncoder(spec)).forward(input, lengths, { hiddenStates: true });
          const e = await native.loadEncoder(spec);
          const b = await e.forward(input, lengths, { hiddenStates: true });
          await e.close();
          for (const i of [0, 1, 2]) expect(differentBits(b.all![i], a.all![i]), `${lengths} ${profile} ${rowwise} ${attention} ${i}`).toBe('');
        }
  }
});
