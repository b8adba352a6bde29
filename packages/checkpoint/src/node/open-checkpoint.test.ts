import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { firstDifference } from '@prune/core';
import { goldenPath, modelPath } from '@prune/fixtures';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeBertOnnx } from '../../test/make-onnx.js';
import { makeSafetensors } from '../../test/make-safetensors.js';
import { widenFloats } from '../widen-floats.js';
import { openCheckpoint, openStagedCheckpoint } from './open-checkpoint.js';

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

test('shards, index, config and tokenizer, each gzipped', async () => {
  const shard = (name: string, value: number) =>
    makeSafetensors({ [name]: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } }, Uint8Array.of(value));
  const index = { weight_map: { 'embeddings.LayerNorm.gamma': 's-1.safetensors', 'pooler.x': 's-2.safetensors' } };
  const path = modelFolder('sharded', {
    'model.safetensors.index.json.gz': gzipSync(JSON.stringify(index)),
    's-1.safetensors.gz': gzipSync(shard('embeddings.LayerNorm.gamma', 7)),
    's-2.safetensors': shard('pooler.x', 8),
    'config.json.gz': gzipSync('{"model_type":"bert","architectures":["BertForQuestionAnswering"]}'),
    'vocab.txt.gz': gzipSync('[PAD]'),
  });
  const { tensors, metadata, name, close } = await openCheckpoint(`${path}/`);
  expect(name).toBe('sharded');
  expect(metadata.files?.get('vocab.txt')).toEqual(new TextEncoder().encode('[PAD]'));
  expect([...tensors.keys()]).toEqual(['bert.embeddings.LayerNorm.weight', 'bert.pooler.x']);
  expect((await tensors.get('bert.embeddings.LayerNorm.weight'))?.data).toEqual(Uint8Array.of(7));
  await close();
});

test('nothing stays in the temporary folder, whether it opens, fails, is too large or is aborted', async () => {
  const temporaryFolder = modelFolder('temporary', {});
  const small = gzipSync(makeSafetensors('{}'));
  const path = join(modelFolder('temporary-model', { 'model.safetensors.gz': small }), 'model.safetensors.gz');
  const opened = await openCheckpoint(path, { temporaryFolder });
  await opened.close();
  const tooLarge = openCheckpoint(path, { temporaryFolder, maxInflatedBytes: 5 });
  await expect(tooLarge).rejects.toMatchObject({ code: 'limit', where: path });
  const aborted = openCheckpoint(path, { temporaryFolder, signal: AbortSignal.abort() });
  await expect(aborted).rejects.toMatchObject({ code: 'aborted', where: path });
  writeFileSync(path, small.subarray(0, 15));
  await expect(openCheckpoint(path, { temporaryFolder })).rejects.toMatchObject({ code: 'truncated', where: path });
  expect(readdirSync(temporaryFolder)).toEqual([]);
  const nowhere = openCheckpoint(path, { temporaryFolder: join(folder, 'nowhere') });
  await expect(nowhere).rejects.toMatchObject({ code: 'io', where: path });
});

test('a gzipped checkpoint that inflates to far more than its size is stopped', async () => {
  const temporaryFolder = modelFolder('ratio-temporary', {});
  const bytes = gzipSync(Buffer.concat([Buffer.from('PK'), Buffer.alloc(100_000_000)]));
  const path = join(modelFolder('ratio', { 'pytorch_model.bin.gz': bytes }), 'pytorch_model.bin.gz');
  await expect(openCheckpoint(path, { temporaryFolder })).rejects.toMatchObject({ code: 'limit', where: path });
  expect(readdirSync(temporaryFolder)).toEqual([]);
});

test('a config that is none, is too deep, or inflates to too much is refused by path', async () => {
  const bad: Record<string, [file: string, bytes: Uint8Array | string, code: string]> = {
    text: ['config.json', 'no', 'corrupt'],
    deep: ['config.json', `{"a":${'['.repeat(100)}`, 'limit'],
    bomb: ['config.json.gz', gzipSync(Buffer.alloc(1 << 21, ' ')), 'limit'],
    cut: ['config.json.gz', gzipSync('{}').subarray(0, 12), 'corrupt'],
  };
  for (const [name, [file, bytes, code]] of Object.entries(bad)) {
    const path = modelFolder(`config-${name}`, { [file]: bytes, 'model.safetensors': makeSafetensors('{}') });
    await expect(openCheckpoint(path)).rejects.toMatchObject({ code, where: expect.stringContaining(path) });
  }
});

test('a folder with one ONNX model; several are listed, and the path of one chooses it', async () => {
  const { file } = makeBertOnnx();
  const config = '{"model_type":"bert","num_attention_heads":2}';
  const path = modelFolder('onnx-models', { 'config.json': config, 'vocab.txt': '[UNK]' });
  mkdirSync(join(path, 'onnx'));
  writeFileSync(join(path, 'onnx', 'model_quantized.onnx'), file);
  for (const found of [path, join(path, 'onnx', 'model_quantized.onnx')]) {
    const { metadata, close } = await openCheckpoint(found);
    // Both lie one folder above the model.
    expect(metadata.config).toEqual(JSON.parse(config));
    expect([...metadata.files!.keys()]).toEqual(['vocab.txt']);
    await close();
  }
  writeFileSync(join(path, 'model.onnx'), file);
  await expect(openCheckpoint(path)).rejects.toMatchObject({
    code: 'invalid-argument',
    got: `model.onnx, ${join('onnx', 'model_quantized.onnx')}`,
  });
  const { name, close } = await openCheckpoint(join(path, 'model.onnx'));
  expect(name).toBe('model.onnx');
  await close();
  // Other checkpoints come first, as transformers has it.
  writeFileSync(join(path, 'model.safetensors'), makeSafetensors({}, new Uint8Array()));
  const safetensors = await openCheckpoint(path);
  expect(safetensors.tensors.format).toBe('safetensors');
  await safetensors.close();
});

test('without config.json, that of the graph', async () => {
  const { metadata, close } = await openCheckpoint(modelFolder('onnx-alone', { 'model.onnx': makeBertOnnx().file }));
  expect(metadata.config).toMatchObject({ model_type: 'bert', num_attention_heads: 2 });
  await close();
});

test('external data: beside the model, not a link out of the folder, unless the model is one to the same place', async () => {
  const { file } = makeBertOnnx({ holders: { words: { location: 'model.onnx_data' } } });
  const words = new Uint8Array(112);
  const outside = modelFolder('onnx-outside', { a: words, b: file });
  const path = modelFolder('onnx-external', { 'model.onnx': file });
  await expect(openStagedCheckpoint(path)).rejects.toMatchObject({ code: 'missing' });
  symlinkSync(join(outside, 'a'), join(path, 'model.onnx_data'));
  await expect(openStagedCheckpoint(path)).rejects.toMatchObject({ code: 'unsupported' });
  // The cache of Hugging Face: every file is a link to a folder of blobs.
  rmSync(join(path, 'model.onnx'));
  symlinkSync(join(outside, 'b'), join(path, 'model.onnx'));
  const { paths, close } = await openStagedCheckpoint(path);
  expect(paths).toEqual([join(path, 'model.onnx'), join(path, 'model.onnx_data')]);
  await close();
  rmSync(join(path, 'model.onnx_data'));
  writeFileSync(join(path, 'model.onnx_data'), words.subarray(1));
  await expect(openStagedCheckpoint(path)).rejects.toMatchObject({ code: 'truncated' });
});
