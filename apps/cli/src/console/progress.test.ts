import { afterEach, expect, test, vi } from 'vitest';
import { type Progress, progressBar } from './progress.js';

afterEach(() => vi.restoreAllMocks());

/** Shows a bar on a terminal, lets `use` have it, and gives what was written. */
function written(use: (bar: Progress) => void): string {
  const isTTY = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
  let text = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((piece) => {
    text += piece;
    return true;
  });
  try {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const bar = progressBar('reading', false);
    bar.total(3);
    now = 2000;
    use(bar);
  } finally {
    if (isTTY === undefined) Reflect.deleteProperty(process.stderr, 'isTTY');
    else Object.defineProperty(process.stderr, 'isTTY', isTTY);
  }
  return text;
}

test('a bar shows the names of steps escaped', () => {
  const text = written((bar) => {
    bar.step('a\x1b]0;t\x07\u202eb');
    bar.stop();
  });
  expect(text).toContain('a\\u001b]0;t\\u0007\\u202eb');
  // The bar has sequences of its own, to move the cursor.
  for (const control of ['\x1b]0', '\x07', '\u202e']) expect(text).not.toContain(control);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s removes a bar, and it stays away', (signal) => {
  const text = written((bar) => {
    bar.step('a');
    process.emit(signal, signal);
    process.stderr.write('said');
    bar.step('b');
    bar.stop();
  });
  // The cursor is back before anything is said, and nothing is drawn behind it.
  const cursor = text.indexOf('\x1b[?25h');
  expect(cursor).toBeGreaterThan(-1);
  expect(cursor).toBeLessThan(text.indexOf('said'));
  expect(text.endsWith('said')).toBe(true);
  expect(process.listenerCount(signal)).toBe(0);
});
