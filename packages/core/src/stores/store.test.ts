import { expect, test } from 'vitest';
import { PruneError } from '../errors/prune-error.js';
import type { Elementary } from '../stages/stages.js';
import type { ModelMetadata } from './metadata.js';
import { type TensorStoreWriter, writeStore } from './store.js';

function recorder(failOn?: string) {
  const log: string[] = [];
  const writer: TensorStoreWriter = {
    async put(name: string, _value: Elementary) {
      if (name === failOn) throw new Error('put failed');
      log.push(name);
    },
    async finish(_metadata: ModelMetadata) {
      log.push('finish');
    },
    async abort() {
      log.push('abort');
    },
  };
  return { log, writer };
}

const entries = new Map<string, Elementary>([
  ['a', 'x'],
  ['b', 'y'],
]);

test('the files of the metadata are read before any entry', async () => {
  const closed = new PruneError('invalid-argument', { what: 'the store is closed' });
  const files = {
    keys: () => ['vocab.txt'],
    async get(): Promise<Uint8Array> {
      throw closed;
    },
  };
  const calls: string[] = [];
  const writer: TensorStoreWriter = {
    put: async (name) => void calls.push(name),
    finish: async () => void calls.push('finish'),
    abort: async () => void calls.push('abort'),
  };
  await expect(writeStore(writer, new Map([['a', 'x']]), { files })).rejects.toBe(closed);
  expect(calls).toEqual(['abort']);
});

test('no entries still make a finished store', async () => {
  const { log, writer } = recorder();
  await writeStore(writer, new Map(), {});
  expect(log).toEqual(['finish']);
});

test('a Map is written in its order', async () => {
  const { log, writer } = recorder();
  await writeStore(writer, entries, {});
  expect(log).toEqual(['a', 'b', 'finish']);
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a path', 'model.prune'],
  ['a promise', Promise.resolve()],
])('%s in place of an argument: invalid-argument, and the writer is aborted', async (name, value) => {
  const wrong = value as never;
  await expect(writeStore(wrong, new Map(), {})).rejects.toMatchObject({ code: 'invalid-argument' });
  const { writer, log } = recorder();
  await expect(writeStore(writer, wrong, {})).rejects.toMatchObject({ code: 'invalid-argument' });
  expect(log).toEqual(['abort']);
  if (name === 'a promise') return;
  await expect(writeStore(writer, new Map(), wrong)).rejects.toMatchObject({ code: 'invalid-argument' });
});

test('a failing put aborts and rethrows', async () => {
  const { log, writer } = recorder('b');
  await expect(writeStore(writer, entries, {})).rejects.toThrow('put failed');
  expect(log).toEqual(['a', 'abort']);
});

test('an aborted signal stops before the next entry and never finishes', async () => {
  const { log, writer } = recorder();
  const controller = new AbortController();
  const written = writeStore(writer, entries, {}, { signal: controller.signal, onEntry: () => controller.abort() });
  await expect(written).rejects.toMatchObject({ code: 'aborted' });
  expect(log).toEqual(['a', 'abort']);
});
