import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { PruneError } from '../../errors/prune-error.js';
import { type FilesBeside, fileGroup } from './file-group.js';

/**
 * The `at`-th call of the file system fails, or the process is killed there: this call and those after it never come
 * back. What is tested here makes one call at a time, so nothing else is under way then.
 */
const faults = vi.hoisted(() => ({
  at: Number.POSITIVE_INFINITY,
  how: 'fail' as 'fail' | 'die',
  calls: 0,
  generation: 1,
  died: () => {},
  handles: [] as { close(): Promise<void> }[],
}));

vi.mock(import('node:fs/promises'), async (original) => {
  const real = await original();
  const counted = <F>(call: F) =>
    ((...args: unknown[]) => {
      faults.calls++;
      if (faults.calls >= faults.at && faults.how === 'die') {
        faults.died();
        return new Promise(() => {});
      }
      if (faults.calls === faults.at)
        return Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }));
      return (call as (...args: unknown[]) => Promise<unknown>)(...args);
    }) as F;
  const open = counted(async (...args: Parameters<typeof real.open>) => {
    const handle = await real.open(...args);
    faults.handles.push(handle);
    return new Proxy(handle, {
      get(target, name) {
        const member = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        // Really syncing would take most of the time of these tests.
        return counted(name === 'sync' ? async () => {} : member.bind(target));
      },
    });
  });
  const { link, mkdir, readFile, readdir, readlink, realpath, rename, rm, stat, writeFile } = real;
  const calls = { link, mkdir, readFile, readdir, readlink, realpath, rename, rm, stat, writeFile };
  const wrapped = Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, counted(call)]));
  return { ...real, ...wrapped, open };
});

vi.mock(import('./process-mark.js'), () => ({
  thisProcess: () => ({ host: '0123456789ab', pid: 1, start: faults.generation }),
  hasEnded: ({ start }) => start < faults.generation,
}));

let folder: string;
let elsewhere: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-group-'));
  elsewhere = mkdtempSync(join(tmpdir(), 'prune-group-'));
});
afterEach(() => {
  Object.assign(faults, { at: Number.POSITIVE_INFINITY, how: 'fail' });
  for (const each of [folder, elsewhere]) rmSync(each, { recursive: true });
});

const bytes = (text: string) => new TextEncoder().encode(text);
const main = () => join(folder, 'model');

/** Writes a model of which every file says `text`. */
async function write(text: string, names: readonly string[], options = {}, stale: readonly string[] = []) {
  const group = await fileGroup(main(), options);
  try {
    await group.main.write(bytes('____'));
    await group.main.writeAt(0, bytes(text));
    await group.commit(async (): Promise<FilesBeside> => {
      return { files: new Map(names.map((name) => [name, bytes(text)])), stale };
    });
  } catch (error) {
    await group.abort();
    throw error;
  }
}

/** Every file of a folder, by name; links that lead nowhere are not files. */
function look(where = folder): Record<string, string> {
  const names = readdirSync(where).sort();
  return Object.fromEntries(
    names
      .filter((name) => existsSync(join(where, name)))
      .map((name) => [name, readFileSync(join(where, name), 'utf8')]),
  );
}
const visible = (files: Record<string, string>) =>
  Object.fromEntries(Object.entries(files).filter(([name]) => !name.startsWith('.')));

test('a main file without files beside it', async () => {
  await write('A___', []);
  expect(look()).toEqual({ model: 'A___' });
});

test('nothing is there before commit, all of it after, and what is stale has gone', async () => {
  writeFileSync(join(folder, 'mine'), 'mine');
  const group = await fileGroup(main());
  await group.main.write(bytes('A___'));
  expect(visible(look())).toEqual({ mine: 'mine' });
  await group.commit(async () => ({ files: new Map([['c', bytes('A___')]]) }));
  expect(look()).toEqual({ c: 'A___', mine: 'mine', model: 'A___' });
  await write('B___', ['d'], { force: true }, ['c', 'd', 'absent']);
  expect(look()).toEqual({ d: 'B___', mine: 'mine', model: 'B___' });
});

test('without force, what is there is refused by name and stays', async () => {
  await write('A___', ['c']);
  const refused = { code: 'invalid-argument', where: main(), what: 'exists' };
  await expect(fileGroup(main())).rejects.toMatchObject(refused);
  rmSync(main());
  await expect(write('B___', ['c'])).rejects.toMatchObject({ code: 'mismatch', where: join(folder, 'c') });
  await expect(write('B___', [], {}, ['c'])).rejects.toMatchObject({ code: 'mismatch', where: join(folder, 'c') });
  const late = await fileGroup(main());
  writeFileSync(main(), 'new');
  await expect(late.commit(async () => ({ files: new Map() }))).rejects.toMatchObject(refused);
  await late.abort();
  expect(look()).toEqual({ c: 'A___', model: 'new' });
});

test('what a killed writer left where the link of a file beside it leads goes too', async () => {
  symlinkSync(join(elsewhere, 'c'), join(folder, 'c'));
  const left = join(elsewhere, '.c.0123456789ab-1-0.0123456789ab.tmp');
  writeFileSync(left, '');
  await write('A___', ['c']);
  expect(readdirSync(elsewhere)).toEqual(['c']);
  expect(lstatSync(join(folder, 'c')).isSymbolicLink()).toBe(true);
});

test('JSON that says the same in other words stays as it is, and a folder in the way is an error', async () => {
  writeFileSync(join(folder, 'c.json'), '{"b":[1,{"c":null}],\n"a":2}');
  const group = await fileGroup(main());
  await group.commit(async () => ({ files: new Map([['c.json', bytes('{"a":2,"b":[1,{"c":null}]}')]]) }));
  expect(look()).toEqual({ 'c.json': '{"b":[1,{"c":null}],\n"a":2}', model: '' });
  mkdirSync(join(folder, 'd'));
  for (const stale of [[], ['d']]) {
    const writing = write('B___', stale.length === 0 ? ['d'] : [], { force: true }, stale);
    await expect(writing).rejects.toMatchObject({ code: 'io', got: 'a folder' });
  }
  expect(readdirSync(folder)).toEqual(['c.json', 'd', 'model']);
});

/** What is there, the names of its files, and those of the new model. */
const cases: [string, () => Promise<unknown>, string[], string[]][] = [
  ['into an empty folder', async () => {}, [], ['c', 'd']],
  ['over a model without files', () => write('A___', []), ['model'], []],
  ['over other files, one of them stale', () => write('A___', ['c', 's']), ['model', 'c', 's'], ['c', 'd']],
  [
    'through links to another folder',
    async () => {
      for (const name of ['model', 'c']) symlinkSync(join(elsewhere, name), join(folder, name));
      await write('A___', ['c', 's']);
    },
    ['model', 'c', 's'],
    ['c'],
  ],
];

/**
 * Writes B over the old model, with a fault at each call in turn. `after` is called each time. Returns how it ended,
 * with what the main file says.
 */
async function atEachCall(
  how: 'fail' | 'die',
  [, old, oldNames, newNames]: (typeof cases)[number],
  after: () => Promise<void>,
): Promise<Set<string>> {
  const outcomes = new Set<string>();
  for (let at = 1; ; at++) {
    for (const each of [folder, elsewhere]) {
      rmSync(each, { recursive: true });
      mkdirSync(each);
    }
    await old();
    const died = new Promise<string>((resolve) => {
      Object.assign(faults, { at, how, calls: 0, died: () => resolve('died') });
    });
    const ended = write('B___', newNames, { force: true }, oldNames.slice(1)).then(
      () => 'done',
      (error: PruneError) => error.code,
    );
    const end = await Promise.race([ended, died]);
    const { calls } = faults;
    Object.assign(faults, { at: Number.POSITIVE_INFINITY, generation: faults.generation + 1 });
    for (const handle of faults.handles.splice(0)) await handle.close().catch(() => {});
    const found = visible(look());
    const text = found.model;
    // Whatever there is, it is whole.
    if (text !== undefined) {
      const names = text === 'B___' ? ['model', ...newNames] : oldNames;
      expect(found, `call ${at}`).toEqual(Object.fromEntries(names.map((name) => [name, text])));
    }
    outcomes.add(`${end}: ${text}`);
    await after();
    if (calls < at) return outcomes;
  }
}
const hidden = () => [...readdirSync(folder), ...readdirSync(elsewhere)].filter((name) => name.startsWith('.'));

test.each(cases)('killed at any call, %s: the old model, no main file, or the new model', async (...each) => {
  const [, , oldNames, newNames] = each;
  const outcomes = await atEachCall('die', each, async () => {
    // The next writer clears up.
    await write('C___', newNames, { force: true }, oldNames.slice(1));
    expect(look()).toEqual(Object.fromEntries(['model', ...newNames].map((name) => [name, 'C___'])));
    expect(hidden()).toEqual([]);
  });
  const olds = oldNames.length === 0 ? ['died: undefined'] : ['died: A___'];
  const between = oldNames.length > 1 ? ['died: undefined'] : [];
  expect([...outcomes].sort()).toEqual([...olds, 'died: B___', ...between, 'done: B___'].sort());
});

test.each(cases)('an error at any call, %s: the old model is back, or the new one is there', async (...each) => {
  const [, , oldNames] = each;
  const outcomes = await atEachCall('fail', each, async () => {
    // One call has failed: to remove a temporary file may have been that one.
    expect(hidden().length).toBeLessThan(2);
  });
  const old = oldNames.length === 0 ? undefined : 'A___';
  for (const outcome of outcomes) expect(['done: B___', 'io: B___', `io: ${old}`]).toContain(outcome);
  expect(outcomes).toContain(`io: ${old}`);
  expect(outcomes).toContain('done: B___');
});
