import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { entriesOf, memorySink, type QuantizedEmbedding, type QuantizedStateDict, scalar, tensor } from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { readZip } from '../test/read-zip.js';
import { openStagedPytorch } from './open-staged-pytorch.js';
import type { QuantizedCheckpoint } from './staged-checkpoint.js';
import { type WriteQuantizedPytorchOptions, writeQuantizedPytorch } from './write-quantized-pytorch.js';

const golden = (file: string) => readFileSync(goldenPath(`quantized/${file}`));
const open = async (bytes: Uint8Array) => (await openStagedPytorch(bytes)) as QuantizedCheckpoint;

async function written(quantized: QuantizedStateDict, options?: WriteQuantizedPytorchOptions): Promise<Uint8Array> {
  const sink = memorySink();
  await writeQuantizedPytorch(sink, quantized, options);
  return sink.bytes();
}

async function allOf(quantized: QuantizedStateDict) {
  const all = new Map<string, unknown>();
  for await (const [name, entry] of entriesOf(quantized)) all.set(name, entry);
  return all;
}

test('no entries', async () => {
  expect(Object.keys(readZip(await written(new Map())))).toEqual([
    'data.pkl',
    '.format_version',
    '.storage_alignment',
    'byteorder',
    'version',
  ]);
});

test.each(['per_tensor.bin', 'per_channel.bin', 'embeddings.bin'])(
  '%s: the pickle and every storage are those of torch.save, byte for byte',
  async (file) => {
    const { quantized, modules } = await open(golden(file));
    const ours = readZip(await written(quantized, { modules }));
    const torchs = readZip(golden(file));
    for (const [name, bytes] of Object.entries(torchs)) {
      expect([name, Buffer.compare(bytes, ours[name])]).toEqual([name, 0]);
    }
    expect(Object.keys(torchs).length).toBeGreaterThan(60);
  },
);

test.each(['per_tensor.bin', 'per_channel.bin', 'embeddings.bin', 'torch15.bin'])(
  '%s: what was written is read again, in both layouts',
  async (file) => {
    const { quantized, modules } = await open(golden(file));
    for (const layout of [undefined, 'torch-1.5'] as const) {
      const again = await open(await written(quantized, { modules, layout }));
      // Vitest's own comparison takes a second.
      expect(isDeepStrictEqual(await allOf(again.quantized), await allOf(quantized))).toBe(true);
      expect(again.modules).toEqual(modules);
      expect(again.profile).toBe(layout && 'fbgemm-1.5');
    }
  },
);

test('a table of 4 bits has two codes a byte, and an odd number of columns is refused', async () => {
  const table = (columns: number): QuantizedEmbedding => ({
    kind: 'embedding',
    bits: 4,
    shape: [3, columns],
    intRepr: Uint8Array.from({ length: 3 * Math.ceil(columns / 2) }, (_, i) => 17 * i),
    scales: Float32Array.of(1, 0.5, 0.25),
    zeroPoints: Float32Array.of(0, -1.5, 2),
  });
  const quantized = new Map([['table', table(6)]]);
  expect(await allOf((await open(await written(quantized))).quantized)).toEqual(quantized);
  await expect(written(new Map([['table', table(5)]]))).rejects.toMatchObject({ code: 'unsupported', tensor: 'table' });
});

test("a profile that no version tells is the root's, and comes back", async () => {
  const { quantized, modules } = await open(golden('per_tensor.bin'));
  const told = { ...modules, '': { version: 1, profile: 'qnnpack' } };
  expect((await open(await written(quantized, { modules: told }))).modules).toEqual(told);
});

test('an unknown layout, and a dtype without a storage', async () => {
  const layout = 'torch-1.4' as 'torch-1.5';
  await expect(written(new Map(), { layout })).rejects.toMatchObject({ code: 'invalid-argument' });
  const words = new Map([['words', tensor('uint16', [1], Uint16Array.of(1))]]);
  await expect(written(words)).rejects.toMatchObject({ code: 'unsupported', tensor: 'words' });
});

test('nothing is committed when a module is missing', async () => {
  const sink = memorySink();
  const quantized = {
    keys: () => ['there', 'not'],
    get: (name: string) => (name === 'there' ? scalar('int8', 1) : undefined),
  };
  await expect(writeQuantizedPytorch(sink, quantized)).rejects.toMatchObject({ code: 'missing', tensor: 'not' });
  expect(sink.bytes()).toHaveLength(0);
});

test('every tensor begins at a multiple of 64 bytes', async () => {
  const bytes = await written(
    new Map([1, 3, 64, 65].map((n) => [`t${n}`, tensor('uint8', [n], new Uint8Array(n).fill(n))])),
  );
  for (const n of [1, 3, 64, 65]) {
    const at = Buffer.from(bytes).indexOf(Buffer.alloc(n, n));
    expect(at % 64).toBe(0);
  }
});
