import { expect, test } from 'vitest';
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
