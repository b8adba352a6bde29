import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileSource } from '../reading/file-source.js';
import { atomicFile } from './atomic-file.js';
import { thisProcess } from './process-mark.js';
import { refuseExisting } from './refuse-existing.js';
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

const write = async (path: string, text: string, options = {}) => {
  const sink = await atomicFile(path, options);
  try {
    await sink.write(new TextEncoder().encode(text));
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
};

test('links stay links: to a file, through another link, to a file that is not there yet', async () => {
  mkdirSync(join(folder, 'far'));
  symlinkSync('far/real', join(folder, 'a'));
  symlinkSync('a', join(folder, 'b'));
  for (const text of ['new', 'replaced']) {
    await write(join(folder, 'b'), text);
    expect(readlinkSync(join(folder, 'a'))).toBe('far/real');
    expect(readlinkSync(join(folder, 'b'))).toBe('a');
    expect(readFileSync(join(folder, 'far', 'real'), 'utf8')).toBe(text);
  }
  expect(readdirSync(join(folder, 'far'))).toEqual(['real']);
  expect(lstatSync(join(folder, 'far', 'real')).isFile()).toBe(true);
  symlinkSync('loop', join(folder, 'loop'));
  await expect(atomicFile(join(folder, 'loop'))).rejects.toMatchObject({ code: 'io', where: join(folder, 'loop') });
});

test('a replaced file keeps its mode, and a new one gets 0666 less the umask', async () => {
  const path = join(folder, 'a');
  await write(path, 'new');
  expect(statSync(path).mode & 0o777).toBe(0o666 & ~process.umask());
  for (const mode of [0o600, 0o664, 0o444, 0o755]) {
    chmodSync(path, mode);
    const sink = await atomicFile(path);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(mode);
    await sink.commit();
    expect(statSync(path).mode & 0o777).toBe(mode);
  }
  expect(readdirSync(folder)).toEqual(['a']);
});

test('a pipe and a device are written to front to back, and stay what they are', async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const large = 'x'.repeat(700_000);
  const [read] = await Promise.all([readFile(pipe, 'utf8'), write(pipe, large, { replace: false })]);
  expect(read === large).toBe(true);
  expect(lstatSync(pipe).isFIFO()).toBe(true);
  await write('/dev/null', large);
  expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  const sink = await atomicFile('/dev/null');
  const refused = { code: 'invalid-argument', where: '/dev/null' };
  await expect(sink.writeAt(0, new Uint8Array(1))).rejects.toMatchObject(refused);
  await sink.abort();
  await sink.abort();
  await expect(atomicFile('/dev/null', { stream: false })).rejects.toMatchObject(refused);
  if (existsSync('/dev/full')) {
    const what = 'ENOSPC: no space left on device';
    await expect(write('/dev/full', 'x')).rejects.toMatchObject({ code: 'io', where: '/dev/full', what });
  }
  expect(readdirSync(folder)).toEqual(['pipe']);
});

test('a folder and a socket are refused by name before anything is written', async () => {
  const socket = join(folder, 'socket');
  const server = createServer().listen(socket);
  await new Promise((resolve) => server.once('listening', resolve));
  await expect(atomicFile(socket)).rejects.toMatchObject({ code: 'io', where: socket, got: 'a socket' });
  await expect(atomicFile(folder)).rejects.toMatchObject({ code: 'io', where: folder, got: 'a folder' });
  expect(readdirSync(folder)).toEqual(['socket']);
  await new Promise((resolve) => server.close(resolve));
});

test('what is there is refused without force, also what was made meanwhile, but not a pipe or a device', async () => {
  const path = join(folder, 'a');
  const refused = { code: 'invalid-argument', where: path, what: 'exists' };
  await refuseExisting(path);
  const sink = await atomicFile(path, { replace: false });
  writeFileSync(path, 'mine');
  await expect(sink.commit()).rejects.toMatchObject(refused);
  await sink.abort();
  await expect(refuseExisting(path)).rejects.toMatchObject(refused);
  symlinkSync('a', join(folder, 'link'));
  await expect(refuseExisting(join(folder, 'link'))).rejects.toMatchObject({ ...refused, where: join(folder, 'link') });
  for (const given of [path, '/dev/null']) await refuseExisting(given, true);
  await refuseExisting('/dev/null');
  expect(readFileSync(path, 'utf8')).toBe('mine');
  expect(readdirSync(folder)).toEqual(['a', 'link']);
});

test('what killed processes left goes with the next write, and what others may still write stays', async () => {
  const { host, start } = thisProcess();
  // No process has this number.
  const left = [`.a.${host}-4194305-1.0123456789ab.tmp`, `.gone.h5.${host}-4194305-1.0123456789ab.old`];
  const kept = [
    `.a.${host}-${process.pid}-${start}.0123456789ab.tmp`,
    `.a.${'0'.repeat(12)}-4194305-1.0123456789ab.tmp`,
    '.a.0123456789ab.tmp',
    'a.tmp',
  ];
  for (const name of [...left, ...kept]) writeFileSync(join(folder, name), '');
  const other = await atomicFile(join(folder, 'other'));
  expect(readdirSync(folder)).toEqual(expect.arrayContaining(kept));
  expect(left.filter((name) => existsSync(join(folder, name)))).toEqual([]);
  const both = await Promise.all(['b', 'c'].map((name) => atomicFile(join(folder, name))));
  for (const sink of [other, ...both]) await sink.commit();
  expect(readdirSync(folder).sort()).toEqual([...kept, 'b', 'c', 'other'].sort());
});

test('names as long as file systems have them', async () => {
  for (const name of ['n'.repeat(255), '🙂'.repeat(63)]) {
    await write(join(folder, name), 'x');
    expect(readdirSync(folder)).toContain(name);
  }
});

test('a second name of the file that is replaced keeps the old contents', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'old');
  linkSync(path, join(folder, 'b'));
  await write(path, 'new');
  expect([readFileSync(path, 'utf8'), readFileSync(join(folder, 'b'), 'utf8')]).toEqual(['new', 'old']);
});

test('fileSource reads ranges, and refuses a path that is not a file', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, 'hello');
  const source = await fileSource(path);
  expect(source.size).toBe(5);
  expect(new TextDecoder().decode(await source.read(1, 3))).toBe('ell');
  await source.close();
  await expect(fileSource(join(folder, 'b'))).rejects.toMatchObject({ code: 'missing', where: join(folder, 'b') });
  await expect(fileSource(folder)).rejects.toMatchObject({ code: 'io' });
});
