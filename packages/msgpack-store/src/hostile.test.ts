import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Codec, csrArrayNames, tensor } from '@prune/core';
import { hostilePath, runInChild } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { createMsgpackFile } from './node/create-msgpack-file.js';

/** Opens a container and reads everything that it holds, in a process of its own. */
const OPEN_AND_READ = `
import { entriesOf } from '@prune/core';
import { openMsgpackFile } from '@prune/msgpack-store/node';
export default async (path: string) => {
  const store = await openMsgpackFile(path);
  const names = [...store.keys()];
  for (const name of names) store.info(name);
  for await (const _ of entriesOf(store)) ;
  if (store.metadata.files) for await (const _ of entriesOf(store.metadata.files)) ;
  return { names: names.length, config: JSON.stringify(store.metadata.config ?? {}).length };
};`;

test.each([
  ['prune-manifest-bomb', 'limit'],
  ['prune-manifest-bomb-10k', 'limit'],
  ['prune-tokenizer-bomb', 'limit'],
  ['prune-laughs-config', 'corrupt'],
  ['prune-cyclic-config', 'corrupt'],
  ['prune-bigint-config', 'corrupt'],
  ['prune-dtype-tostring', 'unsupported'],
  ['prune-config-date', 'corrupt'],
  ['prune-config-regexp', 'corrupt'],
  ['prune-config-deep', 'limit'],
  ['prune-config-proto', 'corrupt'],
  ['prune-record', 'corrupt'],
  ['prune-deep-array', 'limit'],
  ['prune-long-name', 'limit'],
  ['prune-unpack-files', 'unsupported'],
])('%s: %s, within 5 s and 64 MB', async (name, code) => {
  const outcome = await runInChild(OPEN_AND_READ, { argument: hostilePath(`${name}.prune`) });
  expect(outcome).toMatchObject({ error: { name: 'PruneError', code } });
  // Not a second, which an idle machine keeps: this test runs on busy ones.
  expect(outcome.seconds).toBeLessThan(5);
  expect(outcome.peakBytes).toBeLessThan(64_000_000);
});

test('20,000,000 empty rows in 20 kB of csr-gzip: read, within 8 s and 64 MB beside 1.25 times the tensor', async () => {
  const rows = 20_000_000;
  // A count of 0 for each row, which is all that csr-gzip stores of it.
  const packed = gzipSync(new Uint8Array(rows));
  const codec: Codec = {
    name: 'csr-gzip',
    group: () => ({ key: 'matrix', size: 3 }),
    encode: () => packed,
    decode: () => [],
  };
  const folder = await mkdtemp(join(tmpdir(), 'prune-rows-'));
  try {
    const path = join(folder, 'rows.prune');
    const store = await createMsgpackFile(path, { codecs: [codec] });
    const names = csrArrayNames('m');
    await store.put(names.data, tensor('int8', [0], new Int8Array(0)));
    await store.put(names.indices, tensor('uint16', [0], new Uint16Array(0)));
    await store.put(names.indptr, tensor('int32', [rows + 1], new Int32Array(rows + 1)));
    await store.finish({});
    const outcome = await runInChild(OPEN_AND_READ, { argument: path });
    expect(outcome.value).toEqual({ names: 3, config: 2 });
    expect(outcome.seconds).toBeLessThan(8);
    expect(outcome.peakBytes).toBeLessThan(64_000_000 + 1.25 * 4 * rows);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
