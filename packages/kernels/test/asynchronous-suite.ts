import { codeOf } from '@prune/fixtures';
import { expect, test } from 'vitest';
import type { Encoder, Engine } from '../src/index.js';
import { normals, random, randomLayers } from './random-encoder.js';

const HIDDEN = 16;
export const LAYERS = 4;
/** The input of a pass over 40 tokens. */
export const input = normals(random(2), 40 * HIDDEN);
const other = normals(random(3), 40 * HIDDEN);
export const spec = {
  layers: randomLayers(random(1), LAYERS, HIDDEN, 32, { density: 0.5 }),
  heads: 2,
  activation: 'gelu',
  layerNormEps: 1e-12,
  profile: 'fbgemm',
} as const;

/** Tests how passes share an encoder with each other and with the event loop, on engines that `create` gives. */
export function asynchronousOn(create: () => Promise<Engine>): void {
  const withEncoder = async (work: (encoder: Encoder) => Promise<void>) => {
    const engine = await create();
    await work(await engine.loadEncoder(spec));
    await engine.close();
  };

  test('aborted between two layers: no more layers, and the next pass is right', () =>
    withEncoder(async (encoder) => {
      const { last } = await encoder.forward(input, [40]);
      const controller = new AbortController();
      const heard: unknown[] = [];
      const pass = encoder.forward(input, [40], {
        hiddenStates: true,
        signal: controller.signal,
        onLayer(progress) {
          heard.push(progress);
          if (progress.done === 2) controller.abort(new Error('enough'));
        },
      });
      await expect(pass).rejects.toMatchObject({ code: 'aborted', cause: { message: 'enough' } });
      expect(heard).toEqual([1, 2].map((done) => ({ done, total: LAYERS })));
      expect(await codeOf(() => encoder.forward(input, [40], { signal: controller.signal }))).toBe('aborted');
      expect((await encoder.forward(input, [40])).last).toEqual(last);
    }));

  test('an error of onLayer stops its pass alone', () =>
    withEncoder(async (encoder) => {
      const onLayer = () => {
        throw new RangeError('mine');
      };
      await expect(encoder.forward(input, [40], { onLayer })).rejects.toThrow(new RangeError('mine'));
      expect((await encoder.forward(input, [40])).last).toHaveLength(input.length);
    }));

  test('progress ends with all layers', () =>
    withEncoder(async (encoder) => {
      for (let pass = 0; pass < 3; pass++) {
        const heard: number[] = [];
        await encoder.forward(input, [40], { onLayer: ({ done }) => heard.push(done) });
        expect(heard.at(-1)).toBe(LAYERS);
        expect([...heard].sort()).toEqual(heard);
      }
    }));

  test('passes called at once give their own results; an aborted one that waits leaves', () =>
    withEncoder(async (encoder) => {
      const wanted = [await encoder.forward(input, [40]), await encoder.forward(other, [40])];
      const controller = new AbortController();
      const settled: string[] = [];
      const pass = (name: string, hidden: Float32Array, signal?: AbortSignal) =>
        encoder.forward(hidden, [40], { signal }).finally(() => settled.push(name));
      const first = pass('first', input);
      const second = pass('second', other);
      const leaves = pass('leaves', input, controller.signal);
      controller.abort();
      expect(await codeOf(() => leaves)).toBe('aborted');
      expect(await Promise.all([first, second])).toEqual(wanted);
      expect(settled.indexOf('leaves')).toBeLessThan(settled.indexOf('second'));
      expect(settled.indexOf('first')).toBeLessThan(settled.indexOf('second'));
    }));

  test('passes called before close finish, later ones are refused', () =>
    withEncoder(async (encoder) => {
      const wanted = await encoder.forward(input, [40]);
      const passes = [1, 2, 3].map(() => encoder.forward(input, [40]));
      const closing = encoder.close();
      expect(await codeOf(() => encoder.forward(input, [40]))).toBe('invalid-argument');
      expect(await Promise.all(passes)).toEqual([wanted, wanted, wanted]);
      await closing;
    }));

  test('passes that follow one another let a timer fire', () =>
    withEncoder(async (encoder) => {
      let fired = false;
      setTimeout(() => {
        fired = true;
      }, 1);
      const start = performance.now();
      // Awaiting alone would never return to the event loop.
      while (!fired && performance.now() - start < 5000) await encoder.forward(input, [40]);
      expect(fired).toBe(true);
    }));
}
