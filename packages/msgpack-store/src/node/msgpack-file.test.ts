import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstDifference, writeStore } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMsgpackFile } from './create-msgpack-file.js';
import { openMsgpackFile } from './open-msgpack-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-msgpack-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('an empty file, and one that is none, are refused by path', async () => {
  const path = join(folder, 'a.prune');
  await expect(openMsgpackFile(path)).rejects.toMatchObject({ code: 'missing', where: path });
  writeFileSync(path, '');
  await expect(openMsgpackFile(path)).rejects.toMatchObject({ code: 'truncated', where: path });
  writeFileSync(path, Buffer.alloc(100));
  await expect(openMsgpackFile(path)).rejects.toMatchObject({ code: 'unsupported', where: path });
});

test('a golden model through a file, read with the own zlib of Node', async () => {
  const path = join(folder, 'tiny.prune');
  const elementary = readNpz(goldenPath('tiny/elementary.npz'));
  await writeStore(await createMsgpackFile(path), elementary, { profile: 'fbgemm' });
  expect(readdirSync(folder)).toEqual(['tiny.prune']);
  const store = await openMsgpackFile(path);
  expect(await firstDifference(elementary, store)).toBeUndefined();
  expect(store.metadata).toEqual({ profile: 'fbgemm' });
  await store.close();
});

test('a file that is there is refused before anything is written, and replaced with force', async () => {
  const path = join(folder, 'a.prune');
  writeFileSync(path, 'old');
  await expect(createMsgpackFile(path)).rejects.toMatchObject({
    code: 'invalid-argument',
    where: path,
    what: 'exists',
  });
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['a.prune']);
  await writeStore(await createMsgpackFile(path, { force: true }), new Map([['b', 'x']]), {});
  expect(await (await openMsgpackFile(path)).get('b')).toBe('x');
});

test('the old file stays until the new one is whole, and after a failure', async () => {
  const path = join(folder, 'a.prune');
  writeFileSync(path, 'old');
  const failing = (async function* () {
    yield ['a', 'x'] as [string, string];
    throw new Error('the source broke');
  })();
  await expect(writeStore(await createMsgpackFile(path, { force: true }), failing, {})).rejects.toThrow(
    'the source broke',
  );
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['a.prune']);
  await expect(createMsgpackFile(join(folder, 'no', 'a.prune'))).rejects.toMatchObject({ code: 'io' });
});
