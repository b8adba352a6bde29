import { hostilePath, runInChild } from '@prune/fixtures';
import { expect, test } from 'vitest';

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
