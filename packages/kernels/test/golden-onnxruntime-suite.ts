import type { Tensor } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { quantizeWeightToCsr } from '@prune/quant';
import { expect, test } from 'vitest';
import type { Engine, LoadedLinear } from '../src/index.js';
import { differentBits } from './same-bits.js';

const activations = readNpz(goldenPath('onnxruntime/activations.npz')) as Map<string, Tensor<'float32'>>;
const linears = readNpz(goldenPath('onnxruntime/linears.npz')) as Map<string, Tensor<'float32'>>;
const namesOf = (arrays: typeof linears) =>
  [...arrays.keys()].filter((key) => key.endsWith('.x')).map((key) => key.slice(0, -'.x'.length));

/** Tests what onnxruntime gave, on the engines that `create` gives. */
export function onnxruntimeOn(create: () => Promise<readonly (readonly [name: string, engine: Engine])[]>): void {
  async function each(run: (engine: Engine, name: string) => void) {
    for (const [name, engine] of await create()) {
      run(engine, name);
      await engine.close();
    }
  }

  test('activations at the edges', () =>
    each((engine, engineName) => {
      for (const name of namesOf(activations)) {
        const x = activations.get(`${name}.x`)!;
        const columns = x.shape[1];
        const weight = { dtype: 'float32' as const, shape: [columns, columns], data: new Float32Array(columns ** 2) };
        for (let i = 0; i < columns; i++) weight.data[i * (columns + 1)] = activations.get(`${name}.weight`)!.data[0];
        const linear = {
          kind: 'linear' as const,
          ...quantizeWeightToCsr(weight, { profile: 'onnxruntime' }),
          bias: null,
        };
        const wanted = activations.get(`${name}.y`)!.data;
        const loaded = engine.loadLinear(linear, { profile: 'onnxruntime', rowwise: false });
        expect(differentBits(loaded.apply(x.data), wanted), `${engineName} ${name}`).toBe('');
        // A scale for each token: tokens that are all the same have the scale of one.
        const rowwise = engine.loadLinear(linear, { profile: 'onnxruntime', rowwise: true });
        if (x.shape[0] > 1) continue;
        const y = rowwise.apply(repeated(x.data, 37));
        expect(differentBits(y, repeated(wanted, 37)), `${engineName} ${name}, rowwise`).toBe('');
      }
    }));

  test.each(['tensor', 'channel'])('Linears, %s', (scheme) =>
    each((engine, engineName) => {
      for (const name of namesOf(linears)) {
        const perChannel = scheme === 'channel';
        const quantized = quantizeWeightToCsr(linears.get(`${name}.weight`)!, { perChannel, profile: 'onnxruntime' });
        const module = { kind: 'linear' as const, ...quantized, bias: linears.get(`${name}.bias`)! };
        const x = linears.get(`${name}.x`)!.data;
        const columns = quantized.weight.shape[1];
        const load = (linear: typeof module | (Omit<typeof module, 'bias'> & { bias: null }), rowwise = false) =>
          engine.loadLinear(linear, { profile: 'onnxruntime', rowwise });
        const same = (loaded: LoadedLinear, input: Float32Array, output: string) =>
          expect(
            differentBits(loaded.apply(input), linears.get(`${scheme}.${name}.${output}`)!.data),
            `${engineName} ${name}.${output}`,
          ).toBe('');
        const token3 = x.subarray(3 * columns, 4 * columns);
        same(load(module), x, 'y');
        same(load(module), token3, 'y_token3');
        same(load(module, true), token3, 'y_token3');
        same(load({ ...module, bias: null }), x, 'no_bias');
      }
    }),
  );

  test('a range that float32 does not hold is refused', () =>
    each((engine) => {
      const weight = { shape: [1, 2] as const, indptr: Int32Array.of(0, 0), indices: new Uint16Array(0) };
      const scales = Float64Array.of(1);
      const linear = { weight: { ...weight, data: new Int8Array(0) }, qscheme: 'per_tensor_affine', scales } as const;
      for (const rowwise of [false, true]) {
        const loaded = engine.loadLinear(
          { kind: 'linear', ...linear, bias: null },
          { profile: 'onnxruntime', rowwise },
        );
        expect(() => loaded.apply(Float32Array.of(-3e38, 3e38))).toThrow(
          expect.objectContaining({ code: 'not-finite' }),
        );
        expect(loaded.apply(Float32Array.of(-1, 3e38))).toEqual(Float32Array.of(0));
      }
    }));
}

function repeated(values: Float32Array, times: number): Float32Array {
  const all = new Float32Array(values.length * times);
  for (let i = 0; i < times; i++) all.set(values, i * values.length);
  return all;
}
