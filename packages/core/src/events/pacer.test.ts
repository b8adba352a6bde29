import { afterEach, expect, test, vi } from 'vitest';
import { Pacer } from './pacer.js';
import { yieldToEvents } from './yield-to-events.js';

afterEach(() => vi.restoreAllMocks());

/** Sets the clock that pacers look at: on a busy machine the real one jumps by more than a turn. */
const setClock = (ms: number) => vi.spyOn(performance, 'now').mockReturnValue(ms);

/** Whether timers that are due fire while `work` is awaited. */
async function letsTimersFire(work: () => Promise<unknown>): Promise<boolean> {
  let fired = false;
  const timer = setTimeout(() => {
    fired = true;
  }, 0);
  const start = Date.now();
  while (Date.now() - start < 2);
  await work();
  clearTimeout(timer);
  return fired;
}

/** Node may look at its timers only in the turn after the next. */
const twice = async () => {
  await yieldToEvents();
  await yieldToEvents();
};

test('yieldToEvents lets timers fire, with setImmediate and without', async () => {
  expect(await letsTimersFire(twice)).toBe(true);
  vi.stubGlobal('setImmediate', undefined);
  try {
    expect(await letsTimersFire(twice)).toBe(true);
  } finally {
    vi.unstubAllGlobals();
  }
});

test('a pause that is not due does not return to the event loop', async () => {
  setClock(1000);
  const pacer = new Pacer();
  await pacer.pause(undefined, 100);
  setClock(1019);
  expect(await letsTimersFire(() => pacer.pause())).toBe(false);
  expect(pacer.left).toBe(1);
});

test('a pause that is due, or would be in the work ahead, returns to it and begins a new turn', async () => {
  setClock(1000);
  const pacer = new Pacer();
  await pacer.pause(undefined, 100);
  for (const [now, ahead] of [
    [1020, 0],
    [1030, 10],
  ]) {
    setClock(now);
    const events: string[] = [];
    setImmediate(() => events.push('event'));
    await pacer.pause(undefined, ahead);
    expect(events).toEqual(['event']);
    expect(pacer.left).toBe(20);
  }
});

test('steps with pacers of their own are one turn', async () => {
  setClock(1000);
  await new Pacer().pause(undefined, 100);
  setClock(1015);
  expect(new Pacer().left).toBe(5);
});

test('an aborted signal: before a pause, and in it', async () => {
  const pacer = new Pacer();
  const controller = new AbortController();
  setImmediate(() => controller.abort());
  await expect(pacer.pause(controller.signal, 1000)).rejects.toMatchObject({ code: 'aborted' });
  await expect(pacer.pause(controller.signal)).rejects.toMatchObject({ code: 'aborted' });
});
