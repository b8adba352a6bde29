import { expect, test, vi } from 'vitest';
import { PruneError } from '../errors/prune-error.js';
import { untilAborted } from './until-aborted.js';

const failure = new PruneError('io', { what: 'too late' });

test('what the work gives, and its error, with a signal and without', async () => {
  const { signal } = new AbortController();
  for (const given of [undefined, signal]) {
    expect(await untilAborted(Promise.resolve(7), given)).toBe(7);
    await expect(untilAborted(Promise.reject(failure), given)).rejects.toBe(failure);
  }
});

test('a signal that is aborted before or meanwhile does not wait for the work, whose later error is not unhandled', async () => {
  const unhandled = vi.fn();
  process.on('unhandledRejection', unhandled);
  try {
    const controller = new AbortController();
    let fail = () => {};
    const work = new Promise<void>((_, reject) => {
      fail = () => reject(failure);
    });
    const waiting = untilAborted(work, controller.signal);
    controller.abort('enough');
    await expect(waiting).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
    await expect(untilAborted(work, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
    fail();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(unhandled).not.toHaveBeenCalled();
  } finally {
    process.off('unhandledRejection', unhandled);
  }
});

test('the signal does not keep what listened to it', async () => {
  const { signal } = new AbortController();
  const [add, remove] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
  await untilAborted(Promise.resolve(), signal);
  expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(add.mock.calls.map(([, listener]) => listener));
  expect(add).toHaveBeenCalledTimes(1);
});
