import { memorySink, tensor, writeStore } from '@prune/core';
import { expect, test } from 'vitest';
import { PROLOGUE_BYTES } from './container/prologue.js';
import { createMsgpackStore } from './create-msgpack-store.js';
import { openMsgpackStore } from './open-msgpack-store.js';
import { readIntegrity } from './read-integrity.js';

async function container(): Promise<Uint8Array> {
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink), [['t', tensor('uint8', [3], Uint8Array.of(1, 2, 3))]], {});
  return sink.bytes().slice();
}

test('the integrity of the open store, from two reads, and the source stays open', async () => {
  const bytes = await container();
  const reads: number[] = [];
  const source = {
    size: bytes.length,
    read: async (offset: number, length: number) => {
      reads.push(offset);
      return bytes.subarray(offset, offset + length);
    },
    close: () => expect.unreachable(),
  };
  expect(await readIntegrity(source)).toBe((await openMsgpackStore(bytes)).integrity);
  expect(reads.length).toBe(2);
  expect(reads[0]).toBe(0);
});

test.each([
  ['another format', 'unsupported', (bytes: Uint8Array) => bytes.fill(7)],
  ['a damaged manifest', 'corrupt', (bytes: Uint8Array) => bytes.fill(7, bytes.length - 3)],
  ['cut', 'truncated', (bytes: Uint8Array) => bytes.subarray(0, PROLOGUE_BYTES)],
])('%s: %s', async (_, code, change) => {
  await expect(readIntegrity(change(await container()))).rejects.toMatchObject({ code, where: 'bytes' });
});
