import { codeOf } from '@prune/fixtures';
import { expect, test } from 'vitest';
import type { AnyLinear, Encoder, EncoderSpec, Engine } from '../src/index.js';
import { normals, random, randomLayers } from './random-encoder.js';

const HIDDEN = 16;
/** 40 tokens for {@link spec}. */
export const input = normals(random(2), 40 * HIDDEN);
/** A small encoder. */
export const spec = {
  layers: randomLayers(random(1), 2, HIDDEN, 32, { density: 0.5 }),
  heads: 2,
  activation: 'gelu',
  layerNormEps: 1e-12,
  profile: 'fbgemm',
} as const satisfies EncoderSpec;
const query = spec.layers[0].query as AnyLinear;
const mode = { profile: 'fbgemm', rowwise: false } as const;
const norm = { weight: new Float32Array(HIDDEN).fill(1), bias: new Float32Array(HIDDEN) };

/** Every method of an engine, and of what it loaded. */
function calls(engine: Engine, encoder: Encoder, linear: { apply(x: Float32Array): Float32Array }) {
  return {
    loadEncoder: () => engine.loadEncoder(spec),
    loadLinear: async () => engine.loadLinear(query, mode),
    layerNorm: async () => engine.layerNorm(input, norm, 1e-12),
    softmax: async () => engine.softmax(input, HIDDEN),
    activate: async () => engine.activate(input, 'gelu'),
    forward: async () => encoder.forward(input, [40]),
    'forward of no token': async () => encoder.forward(new Float32Array(0), []),
    apply: async () => linear.apply(input),
    'apply to no token': async () => linear.apply(new Float32Array(0)),
  };
}

/** Calls during and after close are refused, and closing again is fine. */
export async function closes(engines: readonly (readonly [name: string, engine: Engine])[]): Promise<void> {
  for (const [name, engine] of engines) {
    const encoder = await engine.loadEncoder(spec);
    const linear = engine.loadLinear(query, mode);
    for (const [call, run] of Object.entries(calls(engine, encoder, linear))) {
      expect(await codeOf(run), `${name}: ${call} before`).toBeTypeOf('object');
    }
    const closing = engine.close();
    for (const [call, run] of Object.entries(calls(engine, encoder, linear))) {
      expect(await codeOf(run), `${name}: ${call} during close`).toBe('invalid-argument');
    }
    await Promise.all([closing, engine.close(), encoder.close()]);
    linear.close();
    await Promise.all([engine.close(), encoder.close()]);
    for (const [call, run] of Object.entries(calls(engine, encoder, linear))) {
      expect(await codeOf(run), `${name}: ${call} after`).toBe('invalid-argument');
    }
  }
}

/** Tests what else goes on in an engine while a part of it, or all, is closed. */
export function closesMeanwhileOn(newEngine: () => Promise<Engine>): void {
  test('an encoder or a Linear closes while others compute, and others load meanwhile', async () => {
    const engine = await newEngine();
    const stays = await engine.loadEncoder(spec);
    const { last } = await stays.forward(input, [40]);
    const linear = engine.loadLinear(query, mode);
    const results = linear.apply(input);
    for (let round = 0; round < 3; round++) {
      const goes = await engine.loadEncoder(spec);
      const goesToo = engine.loadLinear(query, mode);
      const closing = goes.close();
      goesToo.close();
      expect((await stays.forward(input, [40])).last).toEqual(last);
      const comes = engine.loadEncoder(spec);
      await closing;
      expect(linear.apply(input)).toEqual(results);
      expect((await (await comes).forward(input, [40])).last).toEqual(last);
      expect(await codeOf(async () => goes.forward(input, [40]))).toBe('invalid-argument');
      expect(await codeOf(async () => goesToo.apply(input))).toBe('invalid-argument');
    }
    await engine.close();
  });

  test('is closed while an encoder is read: refused, whether layers come or not', async () => {
    for (const count of [0, 1, 2]) {
      const engine = await newEngine();
      async function* layers() {
        for (const layer of spec.layers.slice(0, count)) {
          await engine.close();
          yield layer;
        }
        await engine.close();
      }
      expect(await codeOf(() => engine.loadEncoder({ ...spec, layers: layers() })), `${count}`).toBe(
        'invalid-argument',
      );
    }
  });
}
