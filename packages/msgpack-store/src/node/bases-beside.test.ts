import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { basesBeside } from './bases-beside.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-bases-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a path from the folder of the file, not of the process', async () => {
  mkdirSync(join(folder, 'models'));
  writeFileSync(join(folder, 'base.prune'), 'abc');
  writeFileSync(join(folder, 'models', 'near.prune'), 'abcd');
  const open = basesBeside(join(folder, 'models', 'qa.prune'));
  for (const [name, size] of [
    ['../base.prune', 3],
    ['near.prune', 4],
  ] as const) {
    const source = await open(name);
    expect(source).toMatchObject({ size });
    if (source !== undefined && 'close' in source) await source.close?.();
  }
  await expect(open('absent.prune')).rejects.toMatchObject({ code: 'missing' });
});

test.each(['https://host/base.prune', 'file:///etc/passwd', '/etc/passwd', 'C:/x', '\\\\host\\share', 'a\\b'])(
  'whoever made the file cannot make us open %s',
  async (name) => {
    const open = basesBeside(join(folder, 'qa.prune'));
    await expect(open(name)).rejects.toMatchObject({ code: 'unsupported', got: name });
  },
);
