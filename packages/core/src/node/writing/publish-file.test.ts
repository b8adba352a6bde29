import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { atomicFile } from './atomic-file.js';

/** A file system without second names says one of these. */
const link = vi.hoisted(() => ({ refused: undefined as string | undefined }));
vi.mock(import('node:fs/promises'), async (original) => {
  const real = await original();
  return {
    ...real,
    link: (from, to) =>
      link.refused === undefined
        ? real.link(from, to)
        : Promise.reject(Object.assign(new Error(link.refused), { code: link.refused })),
  };
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-publish-'));
  path = join(folder, 'a');
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([undefined, 'EPERM', 'ENOTSUP'])('without leave to replace, where a second name is %s', async (refused) => {
  link.refused = refused;
  const [first, second] = [await atomicFile(path, { replace: false }), await atomicFile(path, { replace: false })];
  await first.write(new TextEncoder().encode('first'));
  await first.commit();
  expect(readFileSync(path, 'utf8')).toBe('first');
  await expect(second.commit()).rejects.toMatchObject({ code: 'invalid-argument', where: path, what: 'exists' });
  await second.abort();
  expect(readFileSync(path, 'utf8')).toBe('first');
  expect(readdirSync(folder)).toEqual(['a']);
});

test('a folder that was made meanwhile is an io error', async () => {
  link.refused = undefined;
  const sink = await atomicFile(path);
  mkdirSync(path);
  await expect(sink.commit()).rejects.toMatchObject({ code: 'io', where: path });
  await sink.abort();
  expect(readdirSync(folder)).toEqual(['a']);
});
