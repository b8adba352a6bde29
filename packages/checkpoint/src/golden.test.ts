import { readFileSync } from 'node:fs';
import { tensorBytes } from '@prune/core';
import { fileSource } from '@prune/core/node';
import { goldenPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { openTensorFile } from './index.js';

const FORMS = [
  ['model.safetensors', 'safetensors'],
  ['pytorch_model.bin', 'pytorch-zip'],
  ['pytorch_model_legacy.bin', 'pytorch-legacy'],
] as const;

for (const model of ['tiny', 'narrow']) {
  test(`${model}: the three forms hold the same tensors, bit for bit`, async () => {
    const reference = await openTensorFile(readFileSync(goldenPath(`${model}/model.safetensors`)));
    const names = [...reference.keys()].sort();
    expect(names.length).toBe(model === 'tiny' ? 39 : 55);
    for (const [file, format] of FORMS) {
      const checkpoint = await openTensorFile(await fileSource(goldenPath(`${model}/${file}`)));
      expect(checkpoint.format).toBe(format);
      expect([...checkpoint.keys()].sort()).toEqual(names);
      for (const name of names) {
        const [got, wanted] = [await checkpoint.get(name), await reference.get(name)];
        expect(checkpoint.info(name)).toMatchObject({ dtype: got!.dtype, shape: got!.shape });
        expect({ ...got, data: undefined }).toEqual({ ...wanted, data: undefined });
        expect(Buffer.compare(tensorBytes(got!), tensorBytes(wanted!)), `${file} ${name}`).toBe(0);
        const pieces: Uint8Array[] = [];
        for await (const piece of checkpoint.pieces(name)!.pieces()) pieces.push(tensorBytes(piece).slice());
        expect(Buffer.compare(Buffer.concat(pieces), tensorBytes(wanted!)), `${file} ${name}`).toBe(0);
      }
      await checkpoint.close();
    }
  });
}
