import { checkAborted, PruneError } from '@prune/core';
import { codeOf } from '@prune/fixtures';
import { expect, test, vi } from 'vitest';
import { keptWork } from './kept-work.js';

/** Work that waits for `finish`, and then gives how often it was begun, unless it was stopped. */
function counted() {
  const signals: AbortSignal[] = [];
  const finishes: (() => void)[] = [];
  const work = keptWork(async (signal) => {
    signals.push(signal);
    const turn = signals.length;
    await new Promise<void>((resolve) => finishes.push(resolve));
    checkAborted(signal);
    return turn;
  });
  return { work, signals, finish: () => finishes.at(-1)!() };
}

test('callers at once and later callers share one result', async () => {
  const { work, signals, finish } = counted();
  const calls = [work(), work(new AbortController().signal)];
  finish();
  expect(await Promise.all([...calls, work()])).toEqual([1, 1, 1]);
  expect(signals).toHaveLength(1);
});

test('one of two callers aborts: it is told at once, and the other gets the result', async () => {
  const { work, signals, finish } = counted();
  const controller = new AbortController();
  const [gone, stays] = [work(controller.signal), work()];
  controller.abort();
  expect(await codeOf(() => gone)).toBe('aborted');
  expect(signals[0].aborted).toBe(false);
  finish();
  expect(await stays).toBe(1);
});

test('every caller aborts: the work is stopped without an unhandled rejection, and begun anew by the next call', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  try {
    const { work, signals, finish } = counted();
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }) => work(signal));
    for (const controller of controllers) controller.abort();
    for (const call of calls) expect(await codeOf(() => call)).toBe('aborted');
    expect(signals[0].aborted).toBe(true);
    finish();
    const next = work();
    await new Promise((resolve) => setTimeout(resolve, 5));
    finish();
    expect(await next).toBe(2);
    expect(unhandled).not.toHaveBeenCalled();
  } finally {
    process.off('unhandledRejection', unhandled);
  }
});

test('a signal that is aborted before: the work is not begun, and a result that is there stays', async () => {
  const { work, signals, finish } = counted();
  expect(await codeOf(() => work(AbortSignal.abort()))).toBe('aborted');
  expect(signals).toHaveLength(0);
  const first = work();
  finish();
  await first;
  expect(await codeOf(() => work(AbortSignal.abort()))).toBe('aborted');
  expect(await work()).toBe(1);
});

test('an error reaches every caller, and the next call begins anew', async () => {
  const failure = new PruneError('limit', { what: 'too large' });
  let turns = 0;
  const work = keptWork(async () => {
    if (++turns === 1) throw failure;
    return turns;
  });
  const calls = [work(), work()];
  for (const call of calls) await expect(call).rejects.toBe(failure);
  expect(await work()).toBe(2);
});
