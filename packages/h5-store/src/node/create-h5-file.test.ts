import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { DEFAULT_LIMITS, type Elementary, type ModelMetadata, tensor, writeStore } from '@prune/core';
import * as memory from 'h5wasm';
import * as h5wasm from 'h5wasm/node';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openH5Store } from '../open-h5-store.js';
import { createH5File } from './create-h5-file.js';
import { nodeDeflate } from './node-deflate.js';
import { openH5File } from './open-h5-file.js';

vi.mock(import('./node-deflate.js'), async (original) => {
  const { nodeDeflate } = await original();
  return { nodeDeflate: vi.fn(nodeDeflate) };
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-h5-'));
  path = join(folder, 'model.h5');
});
afterEach(() => rmSync(folder, { recursive: true }));

const entries = new Map<string, Elementary>([['a', tensor('int8', [3], Int8Array.of(1, 2, 3))]]);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const write = async (metadata: ModelMetadata, force?: boolean) =>
  writeStore(await createH5File(path, { force }), entries, metadata);

test('no metadata leaves nothing beside the file', async () => {
  await write({});
  expect(readdirSync(folder)).toEqual(['model.h5']);
  const store = await openH5File(h5wasm, path);
  expect(store.metadata).toEqual({ config: undefined, modules: undefined, profile: undefined, files: undefined });
  await store.close();
});

test('all metadata comes back, byte for byte', async () => {
  const vocabulary = bytesOf('[PAD]\n[UNK]\n');
  await write({
    config: { model_type: 'bert' },
    modules: { a: { version: 4 } },
    profile: 'qnnpack',
    files: new Map([['vocab.txt', vocabulary]]),
  });
  expect(readdirSync(folder).sort()).toEqual(['config.json', 'metadata.json', 'model.h5', 'prune.json', 'vocab.txt']);
  const { metadata, close } = await openH5File(h5wasm, path);
  expect(metadata.config).toEqual({ model_type: 'bert' });
  expect(metadata.modules).toEqual({ a: { version: 4 } });
  expect(metadata.profile).toBe('qnnpack');
  expect([...(metadata.files?.keys() ?? [])]).toEqual(['vocab.txt']);
  expect(new Uint8Array((await metadata.files?.get('vocab.txt')) ?? [])).toEqual(vocabulary);
  await close();
});

test('a file beside it that says something else is refused by name, and nothing changes; force replaces it', async () => {
  writeFileSync(join(folder, 'config.json'), '{"model_type": "other"}');
  const writing = write({ config: { model_type: 'bert' }, modules: {} });
  await expect(writing).rejects.toMatchObject({ code: 'mismatch', where: join(folder, 'config.json') });
  expect(readdirSync(folder)).toEqual(['config.json']);
  expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe('{"model_type": "other"}');
  await write({ config: { model_type: 'bert' } }, true);
  expect(JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))).toEqual({ model_type: 'bert' });
});

test('JSON that says the same in other words is kept as it is', async () => {
  const same = '{"b":[1,{"c":null}],\n"a":2}';
  writeFileSync(join(folder, 'config.json'), same);
  await write({ config: { a: 2, b: [1, { c: null }] } });
  expect(readFileSync(join(folder, 'config.json'), 'utf8')).toBe(same);
});

test('metadata.json and prune.json go with the file: replaced and removed with it, refused without it', async () => {
  await write({ modules: { a: { version: 3 } }, profile: 'qnnpack' });
  await write({ modules: { a: { version: 4 } } }, true);
  expect(JSON.parse(readFileSync(join(folder, 'metadata.json'), 'utf8'))).toEqual({ a: { version: 4 } });
  expect(existsSync(join(folder, 'prune.json'))).toBe(false);
  rmSync(path);
  await expect(write({ modules: { a: { version: 3 } } })).rejects.toMatchObject({ code: 'mismatch' });
  await expect(write({})).rejects.toMatchObject({ code: 'mismatch', where: join(folder, 'metadata.json') });
  expect(readdirSync(folder)).toEqual(['metadata.json']);
});

test.each(['../evil', '/tmp/evil', 'config.json', 'notes.txt'])(
  'a file named %j has no place beside it',
  async (name) => {
    await expect(write({ files: new Map([[name, bytesOf('x')]]) })).rejects.toMatchObject({
      code: 'unsupported',
      got: name,
    });
    expect(readdirSync(folder)).toEqual([]);
  },
);

test('a file that is there is refused before anything is written, and replaced with force', async () => {
  await write({ profile: 'qnnpack' });
  const old = readFileSync(path);
  await expect(createH5File(path)).rejects.toMatchObject({ code: 'invalid-argument', where: path, what: 'exists' });
  expect(readdirSync(folder).sort()).toEqual(['model.h5', 'prune.json']);
  expect(readFileSync(path)).toEqual(old);
  await writeStore(await createH5File(path, { force: true }), new Map([['b', 'x']]), {});
  expect(readFileSync(path)).not.toEqual(old);
  expect(readdirSync(folder)).toEqual(['model.h5']);
});

test('what was written with the old model goes with it, by name; what was there before or is not listed stays', async () => {
  const files = (...names: string[]) => new Map(names.map((name) => [name, bytesOf(name)]));
  writeFileSync(join(folder, 'merges.txt'), 'merges.txt');
  await write({ config: { a: 1 }, files: files('vocab.txt', 'merges.txt', 'tokenizer.json') });
  const listed = JSON.parse(readFileSync(join(folder, 'prune.json'), 'utf8'));
  expect(listed).toEqual({ files: ['config.json', 'vocab.txt', 'tokenizer.json'] });
  writeFileSync(join(folder, 'vocab.json'), '{}');
  await write({ profile: 'qnnpack', files: files('tokenizer.json', 'merges.txt') }, true);
  expect(JSON.parse(readFileSync(join(folder, 'prune.json'), 'utf8'))).toEqual({
    profile: 'qnnpack',
    files: ['tokenizer.json'],
  });
  expect(readdirSync(folder).sort()).toEqual(['merges.txt', 'model.h5', 'prune.json', 'tokenizer.json', 'vocab.json']);
  // A list of others cannot name anything but files that go with a model.
  writeFileSync(join(folder, 'prune.json'), '{"files":["../x","model.h5","notes.txt",1,{}]}');
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  await write({}, true);
  expect(readdirSync(folder).sort()).toEqual(['merges.txt', 'model.h5', 'notes.txt', 'tokenizer.json', 'vocab.json']);
});

test('a pipe and a device are refused before anything is written', async () => {
  execFileSync('mkfifo', [path]);
  for (const force of [false, true]) {
    for (const output of [path, '/dev/null']) {
      await expect(createH5File(output, { force })).rejects.toMatchObject({ code: 'invalid-argument', where: output });
    }
  }
  expect(readdirSync(folder)).toEqual(['model.h5']);
});

test('through a link: it stays one, and what lies beside the file lies beside the link', async () => {
  mkdirSync(join(folder, 'far'));
  symlinkSync('far/real.h5', path);
  for (const force of [false, true]) await write({ profile: force ? 'qnnpack' : 'fbgemm' }, force);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(['far', 'model.h5', 'prune.json']);
  expect(readdirSync(join(folder, 'far'))).toEqual(['real.h5']);
  const store = await openH5File(h5wasm, path);
  expect(store.metadata.profile).toBe('qnnpack');
  await store.close();
});

test('a tokenizer file that is read once another model is there is an error, not a file of that model', async () => {
  await write({ files: new Map([['vocab.txt', bytesOf('old')]]) });
  const store = await openH5File(h5wasm, path);
  await write({ files: new Map([['vocab.txt', bytesOf('new')]]) }, true);
  await expect(store.metadata.files?.get('vocab.txt')).rejects.toMatchObject({ code: 'io', where: path });
  expect((await store.get('a')) as unknown).toMatchObject({ shape: [3] });
  await store.close();
});

test('a model whose files are replaced while it is being opened is opened anew', async () => {
  await write({ profile: 'fbgemm', config: { model: 'old' } });
  const old = readFileSync(path);
  // h5wasm is asked for after the files beside it were read.
  const strange = Buffer.concat([Buffer.alloc(512), old]);
  writeFileSync(path, strange);
  let calls = 0;
  const opening = openH5File(async () => {
    if (calls++ === 0) await write({ profile: 'qnnpack', config: { model: 'new' } }, true);
    return h5wasm;
  }, path);
  const { metadata, close } = await opening;
  expect([metadata.profile, metadata.config, calls]).toEqual(['qnnpack', { model: 'new' }, 1]);
  await close();
});

test('a failed put and an abort leave the old file and nothing else', async () => {
  await write({});
  const old = readFileSync(path);
  const writer = await createH5File(path, { force: true });
  await writer.put('a', tensor('int8', [2], Int8Array.of(9, 9)));
  const twice = writeStore(writer, new Map([...entries, ['b/c', 'x']]), {});
  await expect(twice).rejects.toMatchObject({ code: 'invalid-argument', tensor: 'a' });
  await writer.abort();
  await expect(writer.put('z', 'x')).rejects.toMatchObject({ code: 'invalid-argument' });
  const named = writeStore(await createH5File(path, { force: true }), new Map([['b/c', 'x']]), {});
  await expect(named).rejects.toMatchObject({ code: 'unsupported', tensor: 'b/c' });
  expect(readdirSync(folder)).toEqual(['model.h5']);
  expect(readFileSync(path)).toEqual(old);
});

test('a file that does not read back as what was put does not get its name', async () => {
  await write({});
  const old = readFileSync(path);
  const weights = tensor('int8', [1000], new Int8Array(1000).fill(3));
  vi.mocked(nodeDeflate).mockImplementationOnce(async (bytes) =>
    deflateSync(bytes.map((byte, i) => byte + +(i === 7))),
  );
  const writing = writeStore(await createH5File(path, { force: true }), new Map([['w', weights]]), { modules: {} });
  await expect(writing).rejects.toMatchObject({ code: 'corrupt', where: path, tensor: 'w' });
  vi.mocked(nodeDeflate).mockImplementationOnce(async () => new Uint8Array(30));
  const broken = writeStore(await createH5File(path, { force: true }), new Map([['w', weights]]), { modules: {} });
  await expect(broken).rejects.toMatchObject({ code: 'corrupt', where: path, tensor: 'w' });
  expect(readdirSync(folder)).toEqual(['model.h5']);
  expect(readFileSync(path)).toEqual(old);
});

test('what is missing, no file, no HDF5, or beside broken JSON is an error that names it', async () => {
  await expect(openH5File(h5wasm, path)).rejects.toMatchObject({ code: 'missing', where: path });
  await expect(openH5File(h5wasm, folder)).rejects.toMatchObject({ code: 'io', where: folder });
  writeFileSync(path, 'no HDF5');
  await expect(openH5File(h5wasm, path)).rejects.toMatchObject({ code: 'corrupt', where: path });
  rmSync(path);
  await write({});
  writeFileSync(join(folder, 'metadata.json'), '[1]');
  await expect(openH5File(h5wasm, path)).rejects.toMatchObject({ code: 'corrupt', where: 'metadata.json' });
});

test('the other build of h5wasm, bad options and a closed store are refused', async () => {
  const strange = join(folder, 'strange.h5');
  writeFileSync(strange, 'something that h5wasm is asked for');
  await expect(openH5File(memory, strange)).rejects.toMatchObject({ code: 'invalid-argument', where: strange });
  await expect(openH5Store(h5wasm, readFileSync(strange))).rejects.toMatchObject({ code: 'invalid-argument' });
  await write({});
  await expect(createH5File(join(folder, 'x.h5'), { level: 10 })).rejects.toMatchObject({
    code: 'invalid-argument',
  });
  const store = await openH5File(h5wasm, path);
  await store.close();
  await store.close();
  await expect(store.get('a')).rejects.toMatchObject({ code: 'invalid-argument', tensor: 'a' });
  expect(readdirSync(folder)).toEqual(['model.h5', 'strange.h5']);
});

test('a closed store says so, also of the files of its metadata, which lie beside it', async () => {
  await write({ files: new Map([['vocab.txt', new Uint8Array(5)]]) });
  const store = await openH5File(h5wasm, path);
  await store.close();
  const wanted = { code: 'invalid-argument', what: 'the store is closed', where: path };
  await expect(store.get('a')).rejects.toMatchObject(wanted);
  await expect(store.metadata.files?.get('vocab.txt')).rejects.toMatchObject(wanted);
});

test('a file that becomes shorter while it is open is an error that names the tensor', async () => {
  await write({});
  const store = await openH5File(h5wasm, path);
  truncateSync(path, 0);
  await expect(store.get('a')).rejects.toMatchObject({ code: 'io', where: path, tensor: 'a' });
  await store.close();
});

test('limits come before reading', async () => {
  await write({});
  await expect(openH5File(h5wasm, path, { limits: { ...DEFAULT_LIMITS, tensorBytes: 2 } })).rejects.toMatchObject({
    code: 'limit',
    tensor: 'a',
  });
  await expect(openH5File(h5wasm, path, { limits: { ...DEFAULT_LIMITS, tensors: 0 } })).rejects.toMatchObject({
    code: 'limit',
  });
  await write({ config: { model_type: 'bert' } }, true);
  for (const few of [{ nameLength: 0 }, { metadataBytes: 9 }]) {
    await expect(openH5File(h5wasm, path, { limits: { ...DEFAULT_LIMITS, ...few } })).rejects.toMatchObject({
      code: 'limit',
    });
  }
});
