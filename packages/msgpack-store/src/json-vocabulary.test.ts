import { type ByteRange, type ByteSource, memorySink } from '@prune/core';
import { expect, test } from 'vitest';
import { bundleModels } from './bundle-models.js';
import type { Manifest, ManifestFile } from './container/manifest.js';
import { openContainer } from './container/open-container.js';
import { writeEnd } from './container/write-end.js';
import { createMsgpackStore } from './create-msgpack-store.js';
import { openMsgpackStore } from './open-msgpack-store.js';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const tokens = Array.from({ length: 3000 }, (_, i) => (i % 2 === 0 ? `##é${i}` : `"${i * 7919}`));
const vocabulary = bytesOf(tokens.map((token) => `${token}\n`).join(''));
const entries = tokens.map((token, id) => `${JSON.stringify(token)}:${id}`).join();
const tokenizer = bytesOf(`{"version":"1.0","model":{"type":"WordPiece","vocab":{${entries}}}}`);

type Files = Record<string, Uint8Array>;
const both: Files = { 'vocab.txt': vocabulary, 'tokenizer.json': tokenizer };

async function packed(files: Files): Promise<Uint8Array> {
  const sink = memorySink();
  const store = await createMsgpackStore(sink);
  await store.finish({ files: new Map(Object.entries(files)) });
  return sink.bytes().slice();
}

async function filesOf(source: ByteSource, options = {}): Promise<Files> {
  const { metadata } = await openMsgpackStore(source, options);
  const read = await Promise.all(
    [...metadata.files!.keys()].map(async (name) => [name, await metadata.files!.get(name)]),
  );
  return Object.fromEntries(read);
}

async function manifestOf(source: ByteSource): Promise<Manifest> {
  const { manifest, close } = await openContainer(source);
  await close();
  return manifest;
}

test('tokenizer.json takes 200 bytes beside vocab.txt, in any order of the two', async () => {
  const alone = (await packed({ 'vocab.txt': vocabulary })).length;
  for (const files of [both, { 'tokenizer.json': tokenizer, 'vocab.txt': vocabulary }]) {
    const bytes = await packed(files);
    expect(bytes.length).toBeLessThan(alone + 400);
    expect((await manifestOf(bytes)).blocks.map(({ codec }) => codec).sort()).toEqual(['gzip', 'json-vocabulary']);
    expect(await filesOf(bytes)).toEqual(files);
    const { integrity } = await openMsgpackStore(bytes);
    expect(await filesOf(bytes, { integrity })).toEqual(files);
  }
});

test('a tokenizer.json with another vocabulary, and one without a vocab.txt, are stored whole', async () => {
  const cases: Files[] = [
    { 'vocab.txt': vocabulary.slice(10), 'tokenizer.json': tokenizer },
    { 'tokenizer.json': tokenizer },
    { 'vocab.txt': new Uint8Array(0), 'tokenizer.json': new Uint8Array(0) },
  ];
  for (const files of cases) {
    const bytes = await packed(files);
    expect((await manifestOf(bytes)).blocks.every(({ codec }) => codec === 'gzip')).toBe(true);
    expect(await filesOf(bytes)).toEqual(files);
  }
});

test('both are read at once', async () => {
  const bytes = await packed(both);
  const reads: ByteRange[][] = [];
  const source = {
    name: 'x',
    size: bytes.length,
    read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
    readRanges: async (ranges: readonly ByteRange[]) => {
      reads.push([...ranges]);
      return ranges.map(([start, end]) => bytes.subarray(start, end));
    },
  };
  const { metadata } = await openMsgpackStore(source);
  expect(await metadata.files?.get('tokenizer.json')).toEqual(tokenizer);
  expect(reads.length).toBe(1);
  expect(reads[0][1][1]).toBe(reads[0][0][0]);
});

test('the two parts are given as they are, for no other file, and not where the JSON has more entries', async () => {
  const { metadata } = await openMsgpackStore(await packed(both));
  const parts = await metadata.files?.parts?.('tokenizer.json');
  expect(JSON.parse(new TextDecoder().decode(parts?.json))).toEqual({
    version: '1.0',
    model: { type: 'WordPiece', vocab: {} },
  });
  expect(parts?.lines).toEqual(vocabulary);
  for (const name of ['vocab.txt', 'merges.txt']) expect(await metadata.files?.parts?.(name)).toBeUndefined();
  const more = bytesOf(new TextDecoder().decode(tokenizer).replace('}}}', `,"more":${tokens.length}}}}`));
  const { files } = (await openMsgpackStore(await packed({ ...both, 'tokenizer.json': more }))).metadata;
  expect(await files?.get('tokenizer.json')).toEqual(more);
  expect(await files?.parts?.('tokenizer.json')).toBeUndefined();
});

/** A container with the same blocks and other files in the manifest. */
async function withFiles(bytes: Uint8Array, change: (files: readonly ManifestFile[]) => ManifestFile[]) {
  const manifest = await manifestOf(bytes);
  const { offset, length } = manifest.blocks[manifest.blocks.length - 1];
  const end = offset! + length;
  const sink = memorySink();
  await sink.write(bytes.subarray(0, end));
  const [model] = manifest.models;
  await writeEnd(sink, end, { ...manifest, models: [{ ...model, files: change(model.files!) }] });
  return sink.bytes().slice();
}

test('another vocab.txt in its place, whose checksums fit, and another length: corrupt, with file and name', async () => {
  const same = vocabulary.slice();
  same[0] ^= 1;
  for (const other of [same, vocabulary.slice(0, -9), new Uint8Array(0)]) {
    const bytes = await packed({ ...both, 'merges.txt': other });
    const exchanged: Record<string, string> = { 'vocab.txt': 'merges.txt', 'merges.txt': 'vocab.txt' };
    const forged = await withFiles(bytes, (files) =>
      files.map((file) => ({ ...file, name: exchanged[file.name] ?? file.name })),
    );
    const store = await openMsgpackStore(forged, { name: 'x.prune' });
    await expect(store.metadata.files?.get('tokenizer.json')).rejects.toMatchObject({
      code: 'corrupt',
      where: 'x.prune',
      tensor: 'tokenizer.json',
      message: expect.stringContaining('vocabulary of vocab.txt'),
    });
    expect(await store.metadata.files?.get('vocab.txt')).toEqual(other);
  }
  const longer = await withFiles(await packed(both), ([lines, json]) => [lines, { ...json, length: json.length + 1 }]);
  await expect(filesOf(longer)).rejects.toMatchObject({ code: 'corrupt', tensor: 'tokenizer.json' });
});

test('a block of a codec that no file has', async () => {
  const bytes = await packed({ 'vocab.txt': vocabulary });
  const manifest = await manifestOf(bytes);
  const [block] = manifest.blocks;
  const end = block.offset! + block.length;
  const sink = memorySink();
  await sink.write(bytes.subarray(0, end));
  await writeEnd(sink, end, { ...manifest, blocks: [{ ...block, codec: 'brotli' }] });
  await expect(filesOf(sink.bytes().slice())).rejects.toMatchObject({ code: 'unsupported', got: 'brotli' });
});

test('bundles: models share both files, or neither; a base has them', async () => {
  const qa = await packed(both);
  const changed = { ...both, 'vocab.txt': vocabulary.slice(0, -9) };
  const other = await packed(changed);
  const sink = memorySink();
  await bundleModels(sink, [
    { source: qa, name: 'a' },
    { source: qa, name: 'b' },
    { source: other, name: 'c' },
  ]);
  const bundle = sink.bytes().slice();
  expect((await manifestOf(bundle)).blocks.length).toBe(4);
  for (const model of ['a', 'b']) expect(await filesOf(bundle, { model })).toEqual(both);
  expect(await filesOf(bundle, { model: 'c' })).toEqual(changed);

  // In the bundle the vocabulary comes first, whatever the order in the file.
  const reversed = await packed({ 'tokenizer.json': tokenizer, 'vocab.txt': vocabulary });
  const based = memorySink();
  await bundleModels(based, [{ source: reversed }], { bases: [{ name: 'qa.prune', source: qa }] });
  const small = based.bytes().slice();
  expect((await manifestOf(small)).blocks.map(({ codec, base }) => [codec, base])).toEqual([
    ['gzip', 0],
    ['json-vocabulary', 0],
  ]);
  expect(await filesOf(small, { openBase: async () => qa })).toEqual(both);
});
