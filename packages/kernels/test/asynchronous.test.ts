import { codeOf } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { engineOn } from '../src/create-engine.js';
import { createEngine, type ThreadHost } from '../src/index.js';
import { workerThreads } from '../src/node.js';
import { selectKernels } from '../src/wasm/select-kernels.js';
import { asynchronousOn, input, LAYERS, spec } from './asynchronous-suite.js';

describe.each([
  ['auto', 1],
  ['auto', 2],
  ['reference', 1],
] as const)('%s x %d', (kernels, threads) =>
  asynchronousOn(() => createEngine({ kernels, threads, threadHost: workerThreads })),
);

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
