import { createHash } from 'node:crypto';
import { type CodecGroup, DEFAULT_LIMITS, type NamedTensor, Pacer, tensorBytes } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { blockBytes, prunedMatrix } from './csr.fixture.js';
import { encodeCsr } from './encode-csr.js';
import { entropyCodec } from './entropy-codec.js';
import { encodeFloats } from './float-block.js';
import { joined } from './joined.js';

test.each(['tiny', 'narrow'])('every tensor of the golden model %s comes back, in both presets', async (model) => {
  const groups = new Map<string, { group: CodecGroup; tensors: NamedTensor[] }>();
  const codecs = [entropyCodec({ preset: 'fast' }), entropyCodec({ preset: 'max' })];
  for (const [name, value] of readNpz(goldenPath(`${model}/elementary.npz`))) {
    if (typeof value === 'string') continue;
    const group = codecs[0].group?.({ name, dtype: value.dtype, shape: value.shape });
    if (group === undefined) continue;
    const entry = groups.get(group.key) ?? { group, tensors: [] };
    entry.tensors.push({ name, ...value });
    groups.set(group.key, entry);
  }
  let matrices = 0;
  let taken = 0;
  for (const { group, tensors } of groups.values()) {
    expect(tensors.length).toBe(group.size);
    const isMatrix = tensors.length === 3;
    if (isMatrix) matrices++;
    for (const codec of codecs) {
      const block = await codec.encode(tensors);
      // The codec may leave a tensor that is not a part of a matrix to others.
      expect(block !== undefined || !isMatrix, tensors[0].name).toBe(true);
      if (block === undefined) continue;
      taken++;
      const back = await codec.decode(blockBytes(block), tensors, DEFAULT_LIMITS);
      expect(back.map(tensorBytes)).toEqual(tensors.map(tensorBytes));
    }
  }
  expect({ matrices, taken }).toEqual(model === 'tiny' ? { matrices: 13, taken: 76 } : { matrices: 19, taken: 50 });
});

// A file written today must be read for ever: these change only together with the codec's name.
test('the bytes are what they were', async () => {
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const matrix = prunedMatrix(300, 400, 0.3, 21);
  const floats = Float32Array.from({ length: 3000 }, (_, i) => Math.fround(((i * 7919) % 1009) / 1009 - 0.5));
  const dense = async (data: Float32Array<ArrayBuffer>) =>
    joined([], await encodeFloats({ dtype: 'float32', shape: [100, 30], data }, new Pacer()));
  expect({
    fast: hash(encodeCsr(matrix, { preset: 'fast' })),
    max: hash(encodeCsr(matrix, { preset: 'max' })),
    plain: hash(encodeCsr(prunedMatrix(2, 3, 1, 1))),
    planes: hash(await dense(floats)),
    grid: hash(await dense(floats.map((value) => Math.round(value * 64) / 64))),
  }).toMatchInlineSnapshot(`
    {
      "fast": "3dd3caa2474d02c6",
      "grid": "2fe3aec7c7205a72",
      "max": "979f0220eea2b8b7",
      "plain": "7d6fdeb3d7784e5d",
      "planes": "2d8b4a75add085d3",
    }
  `);
});
