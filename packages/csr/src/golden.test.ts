import { readFileSync } from 'node:fs';
import { type Elementary, firstDifference, type Tensor, tensorFromBytes } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { linearModules, quantizeDynamic } from '@prune/quant';
import { expect, test } from 'vitest';
import { decompose } from './decompose.js';
import { recompose, recomposeSparse } from './recompose.js';

/** PyTorch prints the dtype as "torch.qint8"; the notebook's files, and so the elementary form here, say "qint8". */
const asStored = (value: Elementary) => (typeof value === 'string' ? value.replace('torch.', '') : value);

async function collect(entries: AsyncIterable<[string, Elementary]>): Promise<Map<string, Elementary>> {
  const map = new Map<string, Elementary>();
  for await (const [name, value] of entries) map.set(name, value);
  return map;
}

/** A float32 safetensors file, whole: eight bytes of length, a JSON header, the data. */
function readSafetensors(path: string): Map<string, Tensor> {
  const bytes = new Uint8Array(readFileSync(path));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  const map = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { shape, data_offsets: range } = entry as { shape: number[]; data_offsets: [number, number] };
    const data = bytes.subarray(8 + length + range[0], 8 + length + range[1]);
    map.set(name, tensorFromBytes('float32', shape, data));
  }
  return map;
}

for (const model of ['tiny', 'narrow']) {
  const golden = readNpz(goldenPath(`${model}/elementary.npz`));
  const stored = new Map([...golden].map(([name, value]) => [name, asStored(value)]));

  test(`${model}: decompose(recompose(e)) is e, in its order, dense or sparse`, async () => {
    for (const recomposed of [recompose(golden), recomposeSparse(golden)]) {
      const back = await collect(decompose(recomposed));
      expect([...back.keys()]).toEqual([...golden.keys()]);
      expect(await firstDifference(back, stored)).toBeUndefined();
    }
  });

  test(`${model}: quantize and decompose give what PyTorch and scipy give`, async () => {
    const checkpoint = readSafetensors(goldenPath(`${model}/model.safetensors`));
    const config = JSON.parse(readFileSync(goldenPath(`${model}/config.json`), 'utf8'));
    const made = await collect(decompose(quantizeDynamic(checkpoint, linearModules(config, checkpoint))));
    expect(await firstDifference(made, stored)).toBeUndefined();
  });
}
