import { codeOf } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { engineOn } from '../src/create-engine.js';
import { createEngine, type Encoder, type ThreadHost } from '../src/index.js';
import { workerThreads } from '../src/node.js';
import { selectKernels } from '../src/wasm/select-kernels.js';
import { normals, random, randomLayers } from './random-encoder.js';

const HIDDEN = 16;
const LAYERS = 4;
const input = normals(random(2), 40 * HIDDEN);
const other = normals(random(3), 40 * HIDDEN);
const spec = {
  layers: randomLayers(random(1), LAYERS, HIDDEN, 32, { density: 0.5 }),
  heads: 2,
  activation: 'gelu',
  layerNormEps: 1e-12,
  profile: 'fbgemm',
} as const;

async function withEncoder(kernels: 'auto' | 'reference', threads: number, work: (encoder: Encoder) => Promise<void>) {
  const engine = await createEngine({ kernels, threads, threadHost: workerThreads });
  await work(await engine.loadEncoder(spec));
  await engine.close();
}

const ENGINES = [
  ['auto', 1],
  ['auto', 2],
  ['reference', 1],
] as const;

describe.each(ENGINES)('%s x %d', (kernels, threads) => {
  test('aborted between two layers: no more layers, and the next pass is right', () =>
    withEncoder(kernels, threads, async (encoder) => {
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
    withEncoder(kernels, threads, async (encoder) => {
      const onLayer = () => {
        throw new RangeError('mine');
      };
      await expect(encoder.forward(input, [40], { onLayer })).rejects.toThrow(new RangeError('mine'));
      expect((await encoder.forward(input, [40])).last).toHaveLength(input.length);
    }));

  test('progress ends with all layers', () =>
    withEncoder(kernels, threads, async (encoder) => {
      for (let pass = 0; pass < 3; pass++) {
        const heard: number[] = [];
        await encoder.forward(input, [40], { onLayer: ({ done }) => heard.push(done) });
        expect(heard.at(-1)).toBe(LAYERS);
        expect([...heard].sort()).toEqual(heard);
      }
    }));

  test('passes called at once give their own results; an aborted one that waits leaves', () =>
    withEncoder(kernels, threads, async (encoder) => {
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
    withEncoder(kernels, threads, async (encoder) => {
      const wanted = await encoder.forward(input, [40]);
      const passes = [1, 2, 3].map(() => encoder.forward(input, [40]));
      const closing = encoder.close();
      expect(await codeOf(() => encoder.forward(input, [40]))).toBe('invalid-argument');
      expect(await Promise.all(passes)).toEqual([wanted, wanted, wanted]);
      await closing;
    }));

  test('passes that follow one another let a timer fire', () =>
    withEncoder(kernels, threads, async (encoder) => {
      let fired = false;
      setTimeout(() => {
        fired = true;
      }, 1);
      const start = performance.now();
      // Awaiting alone would never return to the event loop.
      while (!fired && performance.now() - start < 5000) await encoder.forward(input, [40]);
      expect(fired).toBe(true);
    }));
});

/** An engine whose jobs are as short as they can be. */
const dividing = async (threads: number, host: ThreadHost = workerThreads) =>
  engineOn(await selectKernels('auto'), threads, host, { jobMs: 0 });

/** A signal that is looked at before every job: `onLook` is told how often. Aborted once it gives true. */
function signalThat(onLook: (looks: number) => boolean): AbortSignal {
  let looks = 0;
  return Object.defineProperty(new AbortController().signal, 'aborted', { get: () => onLook(++looks) });
}

test.each([1, 2])('a divided pass reports whole layers, x %d', async (threads) => {
  const engine = await dividing(threads);
  const encoder = await engine.loadEncoder(spec);
  for (const hiddenStates of [false, true]) {
    const heard: unknown[] = [];
    let jobs = 0;
    const signal = signalThat((looks) => {
      jobs = looks;
      return false;
    });
    await encoder.forward(input, [40], { hiddenStates, signal, onLayer: (progress) => heard.push(progress) });
    expect(heard).toEqual([1, 2, 3, 4].map((done) => ({ done, total: LAYERS })));
    expect(jobs).toBeGreaterThan(7 * LAYERS);
  }
  await engine.close();
});

test.each([1, 2])('aborted inside a layer, and the next pass is right, x %d', async (threads) => {
  const engine = await dividing(threads);
  const encoder = await engine.loadEncoder(spec);
  const { last } = await encoder.forward(input, [40]);
  for (const place of [2, 5, 8]) {
    const heard: unknown[] = [];
    const signal = signalThat((looks) => looks > place);
    const pass = encoder.forward(input, [40], { signal, onLayer: (progress) => heard.push(progress) });
    expect(await codeOf(() => pass)).toBe('aborted');
    expect(heard).toEqual([]);
    expect((await encoder.forward(input, [40])).last).toEqual(last);
  }
  await engine.close();
});

test('a thread that ends inside a layer: io, and the next pass is right', async () => {
  let endLast = () => {};
  const host: ThreadHost = {
    async start(start) {
      const { stop } = await workerThreads.start(start);
      const ended = new Promise<void>((resolve) => {
        endLast = resolve;
      });
      return { stop, ended };
    },
  };
  const engine = await dividing(2, host);
  const encoder = await engine.loadEncoder(spec);
  const { last } = await encoder.forward(input, [40]);
  const end = endLast;
  const signal = signalThat((looks) => {
    if (looks === 6) end();
    return false;
  });
  const pass = encoder.forward(input, [40], { signal });
  await expect(pass).rejects.toMatchObject({ code: 'io', got: 'thread 1 of 2 died' });
  expect((await encoder.forward(input, [40])).last).toEqual(last);
  await engine.close();
});

test('a thread that ends between two layers of a pass: io, and the next pass is right', async () => {
  let endFirst = () => {};
  let started = 0;
  // Says nothing of a worker but its end, as a page does.
  const host: ThreadHost = {
    async start(start) {
      const { stop } = await workerThreads.start(start);
      const ended = new Promise<void>((resolve) => {
        if (started++ === 0) endFirst = resolve;
      });
      return { stop, ended };
    },
  };
  const engine = await createEngine({ threads: 2, threadHost: host });
  const encoder = await engine.loadEncoder(spec);
  const { last } = await encoder.forward(input, [40]);
  const pass = encoder.forward(input, [40], { hiddenStates: true, onLayer: () => endFirst() });
  await expect(pass).rejects.toMatchObject({ code: 'io', got: 'thread 1 of 2 died' });
  expect((await encoder.forward(input, [40])).last).toEqual(last);
  await engine.close();
});
