import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WorkerLife, type WorkerLifeOptions } from './worker-life.js';

const BEAT = 1000;
let asked: number;
let died: number;

beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
  died = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

function life(by: WorkerLifeOptions['by'] = 'questions') {
  const count = { asked: () => asked++, died: () => died++ };
  return new WorkerLife(count.asked, count.died, { by, beat: BEAT });
}

test('a worker that answers no question while a call waits has ended: after three silent beats', () => {
  const worker = life();
  worker.heard(false);
  worker.waits(true);
  vi.advanceTimersByTime(3 * BEAT);
  expect([asked, died]).toEqual([3, 0]);
  vi.advanceTimersByTime(BEAT);
  expect([asked, died]).toEqual([3, 1]);
  vi.advanceTimersByTime(10 * BEAT);
  expect(died).toBe(1);
});

test('any message is an answer', () => {
  const worker = life();
  worker.heard(false);
  worker.waits(true);
  for (let beat = 0; beat < 20; beat++) {
    vi.advanceTimersByTime(BEAT);
    if (beat % 3 === 0) worker.heard(false);
  }
  expect(died).toBe(0);
});

test('nothing is asked of a worker that has not said anything, and nothing counts as silence', () => {
  const worker = life();
  worker.waits(true);
  vi.advanceTimersByTime(100 * BEAT);
  expect(died).toBe(0);
});

test('nothing is asked when no call waits, or the worker was ended', () => {
  const worker = life();
  worker.heard(false);
  vi.advanceTimersByTime(10 * BEAT);
  worker.waits(true);
  worker.waits(false);
  vi.advanceTimersByTime(10 * BEAT);
  worker.waits(true);
  worker.end();
  worker.waits(true);
  vi.advanceTimersByTime(10 * BEAT);
  expect([asked, died]).toEqual([0, 0]);
});

test('Web Locks: the page waits for the lock when the worker has it, until the worker is ended', async () => {
  const requests: { name: string; signal?: AbortSignal; work: () => unknown }[] = [];
  const request = (name: string, { signal }: { signal?: AbortSignal }, work: () => unknown) => {
    requests.push({ name, signal, work });
    return new Promise(() => {});
  };
  vi.stubGlobal('navigator', { locks: { request } });
  const worker = life('lock');
  worker.heard(false);
  worker.waits(true);
  expect(requests).toEqual([]);
  worker.heard(true);
  expect(requests.map(({ name }) => name)).toEqual([worker.lock]);
  expect(worker.lock).not.toBe(life('lock').lock);
  requests[0].work();
  expect([asked, died]).toEqual([0, 1]);
  worker.end();
  expect(requests[0].signal?.aborted).toBe(true);
  vi.unstubAllGlobals();
});
