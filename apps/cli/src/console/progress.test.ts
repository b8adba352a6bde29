import { afterEach, expect, test, vi } from 'vitest';
import { progressBar } from './progress.js';

afterEach(() => vi.restoreAllMocks());

test('a bar shows the names of steps escaped', () => {
  const isTTY = Object.getOwnPropertyDescriptor(process.stderr, 'isTTY');
  Object.defineProperty(process.stderr, 'isTTY', { value: true, configurable: true });
  let written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
  try {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const bar = progressBar('reading', false);
    bar.total(2);
    now = 2000;
    bar.step('a\x1b]0;t\x07\u202eb');
    bar.stop();
  } finally {
    if (isTTY === undefined) Reflect.deleteProperty(process.stderr, 'isTTY');
    else Object.defineProperty(process.stderr, 'isTTY', isTTY);
  }
  expect(written).toContain('a\\u001b]0;t\\u0007\\u202eb');
  // The bar has sequences of its own, to move the cursor.
  for (const control of ['\x1b]0', '\x07', '\u202e']) expect(written).not.toContain(control);
});
