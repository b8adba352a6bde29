import { PruneError } from '@prune/core';
import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import type { CommandContext } from '../command-context.js';
import { runCommand } from './run-command.js';

let exit: MockInstance<typeof process.exit>;
let stdout: string;
let stderr: string;
beforeEach(() => {
  vi.useFakeTimers();
  [stdout, stderr] = ['', ''];
  exit = vi.spyOn(process, 'exit').mockImplementation((() => {}) as () => never);
  vi.spyOn(console, 'log').mockImplementation((text) => {
    stdout += `${text}\n`;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  process.exitCode = undefined;
});

/** Work that stops as soon as it is asked to. */
const obedient =
  (prepare: (context: CommandContext) => void = () => {}) =>
  (context: CommandContext) => {
    prepare(context);
    return new Promise<void>((_, reject) => {
      context.signal.addEventListener('abort', () => reject(new PruneError('aborted', { what: 'stopped' })));
    });
  };

/** Starts work that never stops, and says how to let it end after all, so that its listeners are removed. */
function startDeaf(prepare: (context: CommandContext) => void = () => {}) {
  let stop = () => {};
  const running = runCommand((context) => {
    prepare(context);
    return new Promise<void>((resolve) => {
      stop = resolve;
    });
  });
  return async () => {
    stop();
    await running;
  };
}

test.each([
  ['SIGINT', 130, 'Ctrl-C'],
  ['SIGTERM', 143, 'SIGTERM'],
  ['SIGHUP', 129, 'SIGHUP'],
] as const)('%s has status %i and is named', async (signal, status, name) => {
  const running = runCommand(obedient());
  process.emit(signal, signal);
  expect(await running).toBe(status);
  expect([stdout, stderr]).toEqual(['', `prune: ended by ${name}, no file was written\n`]);
  expect(process.listenerCount(signal)).toBe(0);
});

test('what was printed and written is said', async () => {
  const running = runCommand(
    obedient(({ sayWhenEnded, tellWritten }) => {
      sayWhenEnded(() => 'partial: 3');
      tellWritten(async () => ['a.prune', 'b\u001b']);
    }),
  );
  process.emit('SIGINT', 'SIGINT');
  expect(await running).toBe(130);
  expect(stdout).toBe('partial: 3\n');
  expect(stderr).toBe('prune: ended by Ctrl-C, a partial result was printed, written: a.prune, b\\u001b\n');
});

test('a result that is on stdout already is not printed again', async () => {
  const running = runCommand(obedient(({ sayWhenEnded }) => sayWhenEnded(() => '')));
  process.emit('SIGTERM', 'SIGTERM');
  await running;
  expect([stdout, stderr]).toEqual([
    '',
    'prune: ended by SIGTERM, a partial result was printed, no file was written\n',
  ]);
});

test('a result that cannot be told changes neither the status nor the rest', async () => {
  const running = runCommand(
    obedient(({ sayWhenEnded }) =>
      sayWhenEnded(() => {
        throw new Error('no result');
      }),
    ),
  );
  process.emit('SIGINT', 'SIGINT');
  expect(await running).toBe(130);
  expect(stderr).toBe('prune: ended by Ctrl-C, no file was written\n');
});

test('work that finishes all the same has the status of the signal, and its result alone is printed', async () => {
  const running = runCommand(async ({ signal, sayWhenEnded, tellWritten }) => {
    sayWhenEnded(() => 'partial');
    tellWritten(async () => ['m.prune']);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  });
  process.emit('SIGINT', 'SIGINT');
  expect(await running).toBe(130);
  expect(stdout).toBe('');
  expect(stderr).toBe('prune: ended by Ctrl-C, the work was done by then, written: m.prune\n');
});

test('work that fails otherwise says so, and has the status of the signal', async () => {
  const running = runCommand(async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    throw new PruneError('io', { where: 'm.prune', what: 'disk full' });
  });
  process.emit('SIGINT', 'SIGINT');
  expect(await running).toBe(130);
  expect(stderr).toMatch(/m\.prune: disk full[^\n]*\nprune: ended by Ctrl-C, no file was written\n$/);
});

test('a second signal ends the process at once, with the status of the first, and says nothing', async () => {
  const stop = startDeaf();
  process.emit('SIGTERM', 'SIGTERM');
  // The same Ctrl-C, which npx passes on.
  await vi.advanceTimersByTimeAsync(150);
  process.emit('SIGINT', 'SIGINT');
  expect(exit).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(100);
  process.emit('SIGINT', 'SIGINT');
  expect(exit.mock.calls).toEqual([[143]]);
  expect(stderr).toBe('');
  await stop();
});

test('work that goes on is given up after 0.7 s, and what is known is said', async () => {
  const stop = startDeaf(({ sayWhenEnded }) => sayWhenEnded(() => 'partial: 3'));
  process.emit('SIGHUP', 'SIGHUP');
  await vi.advanceTimersByTimeAsync(690);
  expect([exit.mock.calls, stdout]).toEqual([[], '']);
  await vi.advanceTimersByTimeAsync(20);
  expect([exit.mock.calls, stdout]).toEqual([[[129]], 'partial: 3\n']);
  expect(stderr).toBe('prune: ended by SIGHUP, a partial result was printed, no file was written\n');
  await stop();
});

test('a result that takes longer to say than the rest of the second is given up, too', async () => {
  startDeaf(({ sayWhenEnded }) => sayWhenEnded(() => new Promise(() => {})));
  process.emit('SIGINT', 'SIGINT');
  await vi.advanceTimersByTimeAsync(910);
  expect([exit.mock.calls, stdout]).toEqual([[[130]], '']);
});
