import { readFileSync } from 'node:fs';
import { type Elementary, entriesOf, memorySink, scalar, tensor } from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { readZip } from '../test/read-zip.js';
import { openStagedPytorch } from './open-staged-pytorch.js';
import type { ElementaryCheckpoint } from './staged-checkpoint.js';
import { writeElementaryPytorch } from './write-elementary-pytorch.js';

const golden = readFileSync(goldenPath('quantized/elementary.pt'));
const open = async (bytes: Uint8Array) => ((await openStagedPytorch(bytes)) as ElementaryCheckpoint).elementary;

async function written(elementary: Parameters<typeof writeElementaryPytorch>[1]): Promise<Uint8Array> {
  const sink = memorySink();
  await writeElementaryPytorch(sink, elementary);
  return sink.bytes();
}

test("the notebook's file: the pickle and every storage are those of torch.save, byte for byte", async () => {
  const ours = readZip(await written(await open(golden)));
  const torchs = readZip(golden);
  for (const [name, bytes] of Object.entries(torchs)) {
    expect([name, Buffer.compare(bytes, ours[name])]).toEqual([name, 0]);
  }
  expect(Object.keys(torchs).length).toBeGreaterThan(40);
});

test('empty matrices, one scale a row, tables: what was written is read again', async () => {
  const elementary = new Map<string, Elementary>([
    ['X.scale', scalar('float32', 1)],
    ['X.zero_point', scalar('int64', 0n)],
    ['X._packed_params.dtype', 'qint8'],
    ['X._packed_params.weight.scale', tensor('float64', [2], Float64Array.of(0.5, 0.25))],
    ['X._packed_params.weight.zero_point', tensor('int64', [2], new BigInt64Array(2))],
    ['X._packed_params.weight.int_repr.data', tensor('int8', [0], new Int8Array())],
    ['X._packed_params.weight.int_repr.indptr', tensor('int32', [3], new Int32Array(3))],
    ['X._packed_params.weight.int_repr.indices', tensor('uint16', [0], new Uint16Array())],
    ['X._packed_params.weight.int_repr.shape', tensor('int64', [2], BigInt64Array.of(2n, 70_000n))],
    ['T._packed_params.dtype', 'quint4x2'],
    ['T._packed_params._packed_weight.scale', tensor('float32', [1], Float32Array.of(0.5))],
    ['T._packed_params._packed_weight.zero_point', tensor('float32', [1], Float32Array.of(1.5))],
    ['T._packed_params._packed_weight.int_repr', tensor('uint8', [1, 2], Uint8Array.of(255, 1))],
    ['T._packed_params._packed_weight.int_repr.shape', tensor('int64', [2], BigInt64Array.of(1n, 4n))],
  ]);
  const again = new Map<string, Elementary>();
  for await (const [name, value] of entriesOf(await open(await written(elementary)))) again.set(name, value);
  expect(again).toEqual(elementary);
});

test('more names than one opcode sets', async () => {
  for (const count of [1, 1000, 1001, 2500]) {
    const elementary = new Map<string, Elementary>();
    for (let i = 0; i < count; i++) elementary.set(`W${i}._packed_params.weight.scale`, scalar('float64', i + 0.5));
    elementary.set('W.int_repr.shape', tensor('int64', [2], BigInt64Array.of(-1n, 2n ** 40n)));
    const again = await open(await written(elementary));
    expect([...again.keys()]).toEqual([...elementary.keys()]);
    expect(await again.get(`W${count - 1}._packed_params.weight.scale`)).toEqual(scalar('float64', count - 0.5));
  }
});

test('a value that is missing', async () => {
  const elementary = { keys: () => ['a'], get: () => undefined };
  await expect(written(elementary)).rejects.toMatchObject({ code: 'missing', tensor: 'a' });
});
