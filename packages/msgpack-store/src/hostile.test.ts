import { hostilePath, runInChild } from '@prune/fixtures';
import { expect, test } from 'vitest';

const OPEN_AND_READ = `
import { entriesOf } from '@prune/core';
import { openMsgpackFile } from '@prune/msgpack-store/node';
import { entropyCodec } from '@prune/sparse-codec';
export default async (path: string) => {
  const store = await openMsgpackFile(path, { codecs: [entropyCodec()] });
  let bytes = 0;
  for await (const [, value] of entriesOf(store)) bytes += typeof value === 'string' ? value.length : value.data.byteLength;
  if (store.metadata.files) for await (const [, file] of entriesOf(store.metadata.files)) bytes += file.byteLength;
  return { bytes, metadata: JSON.stringify(store.metadata).length };
};`;

test.each([
  'prune-manifest-bomb','prune-manifest-bomb-10k','prune-tokenizer-bomb','prune-laughs-config','prune-cyclic-config','prune-bigint-config','prune-dtype-tostring','prune-config-date','prune-config-regexp','prune-config-deep','prune-config-proto','prune-record','prune-deep-array','prune-long-name','prune-entropy-rows-500000000','prune-entropy-rows-4000','prune-unpack-files','prune-terminal-escape',
])('%s', async (name) => {
  const outcome = await runInChild(OPEN_AND_READ, { argument: hostilePath(`${name}.prune`) });
  console.log(name, JSON.stringify(outcome));
  expect(outcome).toBeDefined();
});
