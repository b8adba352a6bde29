import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { folderLock } from './folder-lock.js';
import { thisProcess } from './process-mark.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('one at a time, and nothing is left', async () => {
  let inside = 0;
  const seen: number[] = [];
  const work = async () => {
    const unlock = await folderLock(folder);
    seen.push(++inside);
    await new Promise((resolve) => setTimeout(resolve, 2));
    inside--;
    await unlock();
  };
  await Promise.all(Array.from({ length: 12 }, work));
  expect(seen).toEqual(new Array(12).fill(1));
  expect(readdirSync(folder)).toEqual([]);
});

test('a claim of a process that has ended does not count; one of another machine does, for an hour', async () => {
  const { host, pid } = thisProcess();
  // No process has the highest number, which stands for a killed one here.
  writeFileSync(join(folder, `.prune.${host}-4194305-1.0123456789ab.lock`), '');
  await (await folderLock(folder, 0))();
  const foreign = `.prune.${'0'.repeat(12)}-${pid}-1.0123456789ab.lock`;
  writeFileSync(join(folder, foreign), '');
  const waiting = folderLock(folder, 20);
  await expect(waiting).rejects.toMatchObject({ code: 'io', where: folder, got: foreign });
  const hoursAgo = Date.now() / 1000 - 3601;
  utimesSync(join(folder, foreign), hoursAgo, hoursAgo);
  await (await folderLock(folder, 0))();
});

test('a folder that is not there is an io error', async () => {
  await expect(folderLock(join(folder, 'no'))).rejects.toMatchObject({ code: 'io' });
});
