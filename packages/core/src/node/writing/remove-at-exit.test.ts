import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { atomicFile } from './atomic-file.js';
import { removeAtExit } from './remove-at-exit.js';
import { stagedFolder } from './staged-folder.js';

let folder: string;
let before: readonly unknown[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remove-at-exit-'));
  before = process.listeners('exit');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The listeners that were added since the test began, which is what `process.exit` calls. */
const added = () => process.listeners('exit').filter((listener) => !before.includes(listener));

test('what is there at the exit is removed, and nothing else', () => {
  const [file, tree, kept] = ['file', 'tree', 'kept'].map((name) => join(folder, name));
  for (const path of [file, kept]) writeFileSync(path, '');
  mkdirSync(join(tree, 'in'), { recursive: true });
  const released = [file, tree, kept, join(folder, 'absent')].map(removeAtExit);
  released[2]();
  expect(added()).toHaveLength(1);
  (added()[0] as () => void)();
  expect([file, tree, kept].map(existsSync)).toEqual([false, false, true]);
  for (const release of released) release();
  expect(added()).toEqual([]);
});

test.each(['commit', 'abort'] as const)('a file or folder is not remembered after its %s', async (end) => {
  const file = await atomicFile(join(folder, 'file'));
  const other = await atomicFile(join(folder, 'new'), { replace: false });
  const staged = await stagedFolder(join(folder, 'staged'));
  expect(added()).toHaveLength(1);
  for (const output of [file, other, staged]) await output[end]();
  expect(added()).toEqual([]);
});
