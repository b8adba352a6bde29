import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { atomicFile } from './atomic-file.js';
import { fileSource } from './file-source.js';
import { writeWholeFile } from './write-whole-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('an empty file appears on commit only', async () => {
  const sink = await atomicFile(join(folder, 'a'));
  expect(readdirSync(folder)).not.toContain('a');
  await sink.commit();
  expect(readdirSync(folder)).toEqual(['a']);
});

test('appends, patches and replaces an old file as one step', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'old');
  const sink = await atomicFile(path);
  await sink.write(new TextEncoder().encode('____ and '));
  await sink.write(new TextEncoder().encode('more'));
  await sink.writeAt(0, new TextEncoder().encode('head'));
  expect(readFileSync(path, 'utf8')).toBe('old');
  await sink.commit();
  expect(readFileSync(path, 'utf8')).toBe('head and more');
});

test('small and large writes in any order are one file', async () => {
  const path = join(folder, 'a');
  const parts = [0, 1, 300_000, 5, 262_144, 262_143, 1, 0, 100_000, 200_000].map((length, i) =>
    new Uint8Array(length).fill(i),
  );
  const sink = await atomicFile(path);
  const scratch = new Uint8Array(300_000);
  for (const part of parts) {
    // The caller's memory is its own again after each.
    scratch.set(part);
    await sink.write(scratch.subarray(0, part.length));
  }
  await sink.writeAt(0, Uint8Array.of(9));
  const wanted = Buffer.concat(parts);
  wanted[0] = 9;
  const [temporary] = readdirSync(folder);
  expect(Buffer.compare(readFileSync(join(folder, temporary)), wanted)).toBe(0);
  await sink.write(Uint8Array.of(7));
  await sink.commit();
  expect(Buffer.compare(readFileSync(path), Buffer.concat([wanted, Buffer.of(7)]))).toBe(0);
});

test('abort leaves the old file and no temporary one, also twice and after a write', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'old');
  const sink = await atomicFile(path);
  await sink.write(new Uint8Array(10));
  await sink.abort();
  await sink.abort();
  expect(readdirSync(folder)).toEqual(['a']);
  expect(readFileSync(path, 'utf8')).toBe('old');
});

test('a folder that does not exist, and a target that is a folder, are io errors that name the path', async () => {
  const missing = join(folder, 'no', 'a');
  const what = 'ENOENT: no such file or directory';
  await expect(atomicFile(missing)).rejects.toMatchObject({ code: 'io', where: missing, what });
  const sink = await atomicFile(folder.concat('/x'));
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  await expect(sink.commit()).rejects.toMatchObject({ code: 'io' });
  await sink.abort();
});

test('writeWholeFile replaces a file, or leaves nothing', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'old');
  await writeWholeFile(path, new TextEncoder().encode('new'));
  expect(readFileSync(path, 'utf8')).toBe('new');
  mkdirSync(join(folder, 'b'));
  await expect(writeWholeFile(join(folder, 'b'), new Uint8Array(1))).rejects.toMatchObject({ code: 'io' });
  expect(readdirSync(folder)).toEqual(['a', 'b']);
});

test('fileSource reads ranges and refuses what is no file', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'hello');
  const source = await fileSource(path);
  expect(source.size).toBe(5);
  expect(new TextDecoder().decode(await source.read(1, 3))).toBe('ell');
  await source.close();
  await expect(fileSource(join(folder, 'b'))).rejects.toMatchObject({ code: 'missing', where: join(folder, 'b') });
  await expect(fileSource(folder)).rejects.toMatchObject({ code: 'io' });
});
