import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { hasEnded, thisProcess } from './process-mark.js';

test('this process has not ended, and a process with its number and another start has', () => {
  const own = thisProcess();
  expect(own).toMatchObject({ pid: process.pid, host: expect.stringMatching(/^[0-9a-f]{12}$/) });
  expect(hasEnded(own)).toBe(false);
  // Where the system does not say when a process started, the number alone counts.
  expect(hasEnded({ ...own, start: own.start + 1 })).toBe(process.platform === 'linux');
  expect(hasEnded({ ...own, start: 0 })).toBe(false);
});

test('a killed process has ended on this machine, and nothing is known of one of another', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const mark = { ...thisProcess(), pid: child.pid!, start: 0 };
  expect(hasEnded(mark)).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(hasEnded(mark)).toBe(true);
  expect(hasEnded({ ...mark, host: '000000000000' })).toBe(false);
});

test('numbers that no process has are not taken for this one', () => {
  for (const pid of [0, 2 ** 40]) expect(hasEnded({ ...thisProcess(), pid, start: 0 })).toBe(false);
});
