import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { goldenPath, modelPath } from '@prune/fixtures';
import { firstDifference } from '@prune/state-dict';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { widenFloats } from '../widen-floats.js';
import { openCheckpoint } from './open-checkpoint.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-checkpoint-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A folder of its own with these files, by name. */
function modelFolder(name: string, files: Record<string, Uint8Array | string>): string {
  const path = join(folder, name);
  mkdirSync(path);
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(path, file), bytes);
  return path;
}

test('an empty folder has no checkpoint', async () => {
  await expect(openCheckpoint(modelFolder('empty', {}))).rejects.toMatchObject({ code: 'missing' });
  await expect(openCheckpoint(join(folder, 'absent'))).rejects.toMatchObject({ code: 'missing' });
});

test('the real model: gzipped float16 with its tokenizer', async () => {
  const { tensors, metadata, close } = await openCheckpoint(modelPath('mini-qa'));
  expect([...tensors.keys()]).toHaveLength(103);
  expect(tensors.info('bert.encoder.layer.5.output.dense.weight')).toMatchObject({
    dtype: 'float16',
    shape: [384, 1536],
  });
  const weight = await widenFloats(tensors).get('bert.encoder.layer.5.output.dense.weight');
  expect(weight?.dtype).toBe('float32');
  expect(metadata.config?.hidden_size).toBe(384);
  expect([...(metadata.files?.keys() ?? [])]).toEqual(['vocab.txt', 'tokenizer.json']);
  expect(await metadata.files?.get('vocab.txt')).toEqual(new Uint8Array(readFileSync(modelPath('mini-qa/vocab.txt'))));
  await close();
});

test.each(['tiny', 'narrow'])('%s is the same in every form, gzipped or not', async (name) => {
  const reference = await openCheckpoint(goldenPath(name));
  for (const file of ['model.safetensors', 'pytorch_model.bin', 'pytorch_model_legacy.bin']) {
    const path = goldenPath(`${name}/${file}`);
    const zipped = modelFolder(`${name}-${file}`, { [`${file}.gz`]: gzipSync(readFileSync(path)) });
    copyFileSync(goldenPath(`${name}/config.json`), join(zipped, 'config.json'));
    for (const form of [path, join(zipped, `${file}.gz`)]) {
      const { tensors, metadata, close } = await openCheckpoint(form);
      expect(await firstDifference(reference.tensors, tensors)).toBeUndefined();
      expect(metadata.config).toEqual(reference.metadata.config);
      await close();
    }
  }
  await reference.close();
});

test('gzip data that is cut, or unpacks to more than its header declares, is refused by path', async () => {
  const safetensors = readFileSync(goldenPath('narrow/model.safetensors'));
  const cases = {
    cut: gzipSync(safetensors).subarray(0, 1000),
    long: gzipSync(Buffer.concat([safetensors, Buffer.alloc(1 << 20)])),
    empty: gzipSync(Buffer.alloc(0)),
  };
  const codes: Record<string, string> = {};
  for (const [name, bytes] of Object.entries(cases)) {
    const path = join(modelFolder(`gzip-${name}`, { 'model.safetensors.gz': bytes }), 'model.safetensors.gz');
    const error = await openCheckpoint(path).catch((error) => error);
    expect(error.message).toContain(path);
    codes[name] = error.code;
  }
  expect(codes).toEqual({ cut: 'truncated', long: 'corrupt', empty: 'unsupported' });
});
