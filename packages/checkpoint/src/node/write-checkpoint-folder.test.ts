import {
  chmodSync,
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
import { type ModelMetadata, type Tensor, tensor } from '@prune/core';
import { runInChild } from '@prune/fixtures';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCheckpoint } from './open-checkpoint.js';
import { writeCheckpointFolder } from './write-checkpoint-folder.js';

let top: string;
let folder: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'prune-unpack-'));
  folder = join(top, 'model');
});
afterEach(() => rmSync(top, { recursive: true }));

const bytesOf = (text: string) => new TextEncoder().encode(text);
const filesOf = (...names: string[]) => new Map(names.map((name) => [name, bytesOf(name)]));
const tensorsOf = (value: number) =>
  new Map<string, Tensor>([['w', tensor('float32', [2], Float32Array.of(value, 0))]]);
const write = (value: number, metadata: ModelMetadata = {}, options = {}) =>
  writeCheckpointFolder(folder, { tensors: tensorsOf(value), metadata }, options);

async function read() {
  const { tensors, metadata, close } = await openCheckpoint(folder);
  const value = (await tensors.get('w'))?.data[0];
  await close();
  return { value, config: metadata.config, files: [...(metadata.files?.keys() ?? [])] };
}

test('no tensors and no metadata: a folder with weights alone', async () => {
  await writeCheckpointFolder(folder, { tensors: new Map(), metadata: {} });
  expect(readdirSync(folder)).toEqual(['model.safetensors']);
  expect(readdirSync(top)).toEqual(['model']);
});

test('a new folder with those above it, an empty one, and one with other files of yours', async () => {
  const metadata = { config: { model_type: 'x' }, files: filesOf('vocab.txt') };
  for (const path of ['up/new', 'empty', 'mine']) {
    folder = join(top, path);
    if (path !== 'up/new') mkdirSync(folder);
    if (path === 'mine') writeFileSync(join(folder, 'README.md'), 'mine');
    await write(1, metadata);
    expect(await read()).toEqual({ value: 1, config: { model_type: 'x' }, files: ['vocab.txt'] });
    const mine = path === 'mine' ? ['README.md'] : [];
    expect(readdirSync(folder)).toEqual([...mine, 'config.json', 'model.safetensors', 'vocab.txt']);
  }
  expect(readdirSync(top).sort()).toEqual(['empty', 'mine', 'up']);
});

test('nothing is to be seen before the end, and a failure leaves nothing', async () => {
  const failing = { keys: () => ['w'], get: async (): Promise<Tensor> => Promise.reject(new RangeError('mine')) };
  for (const there of [false, true]) {
    if (there) mkdirSync(folder);
    await expect(writeCheckpointFolder(folder, { tensors: failing, metadata: {} })).rejects.toThrow('mine');
    expect(readdirSync(top)).toEqual(there ? ['model'] : []);
  }
  expect(readdirSync(folder)).toEqual([]);
  await write(
    1,
    {},
    { onTensor: () => expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual([]) },
  );
});

test('a model that is there is refused before any tensor is read, and replaced with force', async () => {
  const metadata = { config: { model_type: 'x' }, files: filesOf('vocab.txt') };
  await write(1, metadata);
  const unread = { keys: () => ['w'], get: () => expect.unreachable() };
  await expect(writeCheckpointFolder(folder, { tensors: unread, metadata })).rejects.toMatchObject({
    code: 'invalid-argument',
    where: join(folder, 'model.safetensors'),
    what: 'exists',
  });
  expect(await read()).toMatchObject({ value: 1 });
  await write(2, { config: { model_type: 'y' }, files: filesOf('vocab.txt', 'merges.txt') }, { force: true });
  expect(await read()).toEqual({ value: 2, config: { model_type: 'y' }, files: ['vocab.txt', 'merges.txt'] });
});

test('a configuration that says something else is replaced with force alone', async () => {
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), '{"model_type": "x"}');
  await expect(write(1, { config: { model_type: 'y' } })).rejects.toMatchObject({
    code: 'mismatch',
    where: join(folder, 'config.json'),
  });
  expect(readdirSync(folder)).toEqual(['config.json']);
  await write(1, { config: { model_type: 'x' } });
  expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe('{"model_type": "x"}');
  await write(2, { config: { model_type: 'y' } }, { force: true });
  expect(await read()).toMatchObject({ value: 2, config: { model_type: 'y' } });
});

test.each([
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'model.safetensors.index.json',
  'model.safetensors.gz',
  'model-00001-of-00002.safetensors',
  'pytorch_model-00001-of-00002.bin.gz',
  'tf_model.h5',
  'tokenizer.json',
  'merges.txt.gz',
  'config.json.gz',
])('a reader would take %s for a part of the model: refused by name, with force too', async (name) => {
  mkdirSync(folder);
  writeFileSync(join(folder, name), 'mine');
  for (const force of [false, true]) {
    await expect(write(1, { files: filesOf('vocab.txt') }, { force })).rejects.toMatchObject({
      code: 'mismatch',
      where: join(folder, name),
    });
  }
  expect(readdirSync(folder)).toEqual([name]);
});

test("a file that is not a tokenizer's, or a path, is refused with where it came from", async () => {
  for (const name of ['package.json', '../x', 'config.json']) {
    const writing = write(1, { files: filesOf(name) }, { name: 'm.prune' });
    await expect(writing).rejects.toMatchObject({ code: 'unsupported', where: 'm.prune', got: name });
  }
  expect(readdirSync(top)).toEqual([]);
});

test('a file in the way, a folder that cannot be written to, and links', async () => {
  writeFileSync(folder, 'mine');
  await expect(write(1)).rejects.toMatchObject({ code: 'io', where: folder, what: 'is not a folder' });
  folder = join(top, 'model', 'below');
  await expect(write(1)).rejects.toMatchObject({ code: 'io', where: folder });
  expect(readFileSync(join(top, 'model'), 'utf8')).toBe('mine');

  symlinkSync('real', join(top, 'link'));
  folder = join(top, 'link');
  for (const value of [1, 2]) {
    await write(value, {}, { force: true });
    expect(await read()).toMatchObject({ value });
  }
  expect(readdirSync(top).sort()).toEqual(['link', 'model', 'real']);
});

test('a folder without the right to write is an io error that names it', async () => {
  chmodSync(top, 0o755);
  mkdirSync(folder);
  chmodSync(folder, 0o555);
  const source = `
    import { writeCheckpointFolder } from '@prune/checkpoint/node';
    export default async (folders) => {
      // The superuser may write everywhere.
      if (process.getuid() === 0) process.setuid(65534);
      const write = (folder) => writeCheckpointFolder(folder, { tensors: new Map(), metadata: {} });
      return Promise.all(folders.map((folder) => write(folder).catch(({ code, where }) => ({ code, where }))));
    };`;
  // One that may not even be read.
  const unread = join(top, 'unread');
  mkdirSync(unread);
  chmodSync(unread, 0o300);
  const argument = [folder, join(folder, 'new'), unread];
  const { value } = await runInChild(source, { argument });
  expect(value).toEqual([
    { code: 'io', where: join(folder, 'model.safetensors') },
    { code: 'io', where: join(folder, 'new') },
    { code: 'io', where: unread },
  ]);
  expect(readdirSync(folder)).toEqual([]);
});
