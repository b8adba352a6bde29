import { expect, test } from 'vitest';
import { createEngine } from '../src/index.js';
import { goldenModel } from './golden-model.js';

const PROFILES = { fbgemm: 'fbgemm', x86: 'fbgemm', onednn: 'fbgemm', qnnpack: 'qnnpack' } as const;

function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = a.length === b.length ? 0 : Number.NaN;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i] - b[i]));
  return largest;
}

test.each(['tiny', 'narrow'] as const)(
  '%s in float32: PyTorch within 1e-5 in every layer, padded rows too',
  async (name) => {
    const model = goldenModel(name);
    const engine = await createEngine({ kernels: 'reference' });
    const encoder = await engine.loadEncoder({
      layers: model.float,
      heads: model.heads,
      activation: 'gelu',
      layerNormEps: 1e-12,
      profile: 'fbgemm',
    });
    const lengths = model.attended.map(() => model.length);
    const { all } = encoder.forward(model.hidden('float', 0), lengths, {
      keyLengths: model.attended,
      hiddenStates: true,
    });
    for (let layer = 0; layer < model.float.length; layer++) {
      const difference = largestDifference(all![layer], model.hidden('float', layer + 1));
      console.log(name, 'float', layer, difference);
      expect(difference).toBeLessThan(1e-5);
    }
  },
);

test.each(
  (['tiny', 'narrow'] as const).flatMap((name) =>
    (['float32', 'int16'] as const).flatMap((attention) =>
      (Object.keys(PROFILES) as (keyof typeof PROFILES)[]).map((engine) => ({ name, engine, attention })),
    ),
  ),
)('$name $engine $attention', async ({ name, engine: torchEngine, attention }) => {
  const model = goldenModel(name);
  const engine = await createEngine({ kernels: 'reference' });
  const encoder = await engine.loadEncoder({
    layers: model.quantized,
    heads: model.heads,
    activation: 'gelu',
    layerNormEps: 1e-12,
    profile: PROFILES[torchEngine],
    attention,
  });
  const lengths = model.attended.map(() => model.length);
  const { all } = encoder.forward(model.hidden(torchEngine, 0), lengths, {
    keyLengths: model.attended,
    hiddenStates: true,
  });
  const d = all!.map((states, layer) => largestDifference(states, model.hidden(torchEngine, layer + 1)));
  console.log(name, torchEngine, attention, d.map((x) => x.toExponential(2)).join(' '));
  expect(Math.max(...d)).toBeLessThan(0.1);
});
