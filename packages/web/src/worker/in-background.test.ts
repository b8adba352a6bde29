import { expect, test } from 'vitest';
import { inBackground } from './in-background.js';

const soon = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Steps that each take until their signal aborts or `finish` is called. */
function steps() {
  const signals: AbortSignal[] = [];
  let settle: { resolve(more: boolean): void; reject(error: unknown): void } | undefined;
  const work = inBackground((signal) => {
    signals.push(signal);
    return new Promise((resolve, reject) => {
      settle = { resolve, reject };
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  });
  return { work, signals, finish: (more: boolean) => settle?.resolve(more), fail: () => settle?.reject(new Error()) };
}

test('one step after another, until one says that it was the last', async () => {
  const { signals, finish } = steps();
  expect(signals.length).toBe(1);
  finish(true);
  await soon();
  expect(signals.length).toBe(2);
  finish(false);
  await soon();
  expect(signals.length).toBe(2);
});

test('a pause stops the step, and it is done again afterwards', async () => {
  const { work, signals } = steps();
  work.pause();
  await soon();
  expect([signals.length, signals[0].aborted]).toEqual([1, true]);
  work.resume();
  work.resume();
  await soon();
  expect(signals.length).toBe(2);
  work.pause();
  work.resume();
  await soon();
  expect(signals.length).toBe(3);
});

test('an error, or a stop, ends it', async () => {
  const failing = steps();
  failing.fail();
  await soon();
  failing.work.resume();
  const stopped = steps();
  stopped.work.stop();
  stopped.work.resume();
  await soon();
  expect([failing.signals.length, stopped.signals.length, stopped.signals[0].aborted]).toEqual([1, 1, true]);
});
