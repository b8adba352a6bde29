import { chmodSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type MainFile, openMainFile } from './open-main-file.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-main-'));
  path = join(folder, 'model');
  put('A');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A new file under the name, as writers make it. */
function put(text: string) {
  writeFileSync(join(folder, 'new'), text);
  renameSync(join(folder, 'new'), path);
}
const replaced = { code: 'io', what: 'was replaced while it was being read' };

/** Opens, and calls `meanwhile` the first `times` times. */
async function opened(meanwhile: () => void, times = 1) {
  const undone: string[] = [];
  let calls = 0;
  let main: MainFile | undefined;
  const value = await openMainFile(
    path,
    async (held) => {
      main = held;
      const text = readFileSync(path, 'utf8');
      if (calls++ < times) meanwhile();
      return text;
    },
    async (text) => undone.push(text),
  ).finally(() => main?.close());
  return { value, calls, undone };
}

test('a file that nobody touches is opened once', async () => {
  expect(await opened(() => {})).toEqual({ value: 'A', calls: 1, undone: [] });
});

test('a file that was replaced, made, or moved away and back meanwhile is opened again', async () => {
  expect(await opened(() => put('B'))).toEqual({ value: 'B', calls: 2, undone: ['A'] });
  // Some systems count the time of a change in steps of several milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const awayAndBack = () => {
    renameSync(path, join(folder, 'old'));
    renameSync(join(folder, 'old'), path);
  };
  expect(await opened(awayAndBack)).toEqual({ value: 'B', calls: 2, undone: ['B'] });
  expect(await opened(() => put('C'), 4)).toMatchObject({ value: 'C', calls: 5 });
});

test('one that is replaced again and again is an error, and so is one that has gone', async () => {
  await expect(opened(() => put('B'), 99)).rejects.toMatchObject({ ...replaced, where: path });
  await expect(opened(() => rmSync(path))).rejects.toMatchObject({ code: 'ENOENT' });
});

test('what was read of a file that was not there at first is read again', async () => {
  rmSync(path);
  let calls = 0;
  const value = await openMainFile(path, async () => {
    if (calls++ === 0) put('B');
    return readFileSync(path, 'utf8');
  });
  expect({ value, calls }).toEqual({ value: 'B', calls: 2 });
});

test('what opening throws is thrown, unless the file was replaced', async () => {
  await expect(
    opened(() => {
      throw new RangeError('mine');
    }),
  ).rejects.toThrow(RangeError);
  let calls = 0;
  const value = await openMainFile(path, async () => {
    if (calls++ > 0) return 'again';
    put('B');
    throw new RangeError('half of each');
  });
  expect(value).toBe('again');
});

test('what is read later is refused once the file was replaced, and not because of a new mode', async () => {
  const main = await openMainFile(path, async (main) => main);
  chmodSync(path, 0o600);
  expect(await main.unreplaced(async () => 1)).toBe(1);
  await expect(main.unreplaced(async () => put('B'))).rejects.toMatchObject({ ...replaced, where: path });
  await expect(main.unreplaced(async () => 1)).rejects.toMatchObject({ ...replaced, where: path });
  await main.close();
  await main.close();
});

test('what is not a file is opened once, by whoever opens it', async () => {
  expect(await openMainFile(folder, async () => 'a folder')).toBe('a folder');
  await expect(
    openMainFile(join(folder, 'no'), async () => {
      throw new RangeError('mine');
    }),
  ).rejects.toThrow(RangeError);
});
