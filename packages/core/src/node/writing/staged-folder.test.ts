import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { thisProcess } from './process-mark.js';
import { stagedFolder } from './staged-folder.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('an empty folder, and one with a file, appear on commit with the folders above them', async () => {
  for (const file of [undefined, 'a']) {
    const path = join(folder, `up-${file}`, 'new');
    const staged = await stagedFolder(path);
    if (file !== undefined) writeFileSync(join(staged.temporaryPath, file), '');
    expect(existsSync(path)).toBe(false);
    await staged.commit();
    expect(readdirSync(path)).toEqual(file === undefined ? [] : [file]);
    expect(readdirSync(join(folder, `up-${file}`))).toEqual(['new']);
  }
});

test('abort leaves nothing, and a folder that a killed process left goes with the next one', async () => {
  const staged = await stagedFolder(join(folder, 'new'));
  writeFileSync(join(staged.temporaryPath, 'a'), '');
  await staged.abort();
  expect(readdirSync(folder)).toEqual([]);
  const left = join(folder, `.new.${thisProcess().host}-4194305-1.0123456789ab.tmp`);
  mkdirSync(left);
  writeFileSync(join(left, 'a'), '');
  await (await stagedFolder(join(folder, 'other'))).commit();
  expect(readdirSync(folder)).toEqual(['other']);
});

test('a folder that was made meanwhile stays, and a file is in the way', async () => {
  const path = join(folder, 'new');
  const staged = await stagedFolder(path);
  mkdirSync(path);
  writeFileSync(join(path, 'mine'), '');
  await expect(staged.commit()).rejects.toMatchObject({ code: 'invalid-argument', where: path, what: 'exists' });
  await staged.abort();
  expect(readdirSync(path)).toEqual(['mine']);
  for (const inTheWay of [join(path, 'mine'), join(path, 'mine', 'sub')]) {
    await expect(stagedFolder(inTheWay)).rejects.toMatchObject({ code: 'io', where: inTheWay });
  }
  expect(readdirSync(folder)).toEqual(['new']);
});

test('a link that leads nowhere yet stays a link', async () => {
  const link = join(folder, 'link');
  symlinkSync('real', link);
  const staged = await stagedFolder(link);
  await staged.commit();
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(lstatSync(join(folder, 'real')).isDirectory()).toBe(true);
});
