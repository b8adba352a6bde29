import { DEFAULT_LIMITS } from '@prune/core';
import { Packr } from 'msgpackr/index-no-eval';
import { describe, expect, test } from 'vitest';
import { decodeManifest } from './decode-manifest.js';
import { encodeManifest } from './encode-manifest.js';
import type { Manifest } from './manifest.js';

const sha256 = new Uint8Array(32).fill(7);
const part = { length: 3, crc32: 1, sha256 };
const block = { codec: 'raw', offset: 48, length: 10, crc32: 1, sha256, shares: [10], parts: [part] };
const inBase = { codec: 'raw', base: 0, length: 99, crc32: 1, sha256, shares: [99] };
const entry = { name: 'a', dtype: 'uint8', shape: [10], block: 0 };
const other = { name: 'b', dtype: 'int8', shape: [99], block: 1 };
const model = { name: 'one', entries: [entry, other] };
const linesFile = { name: 'vocab.txt', length: 9, block: 0 };
const jsonFile = { name: 'tokenizer.json', length: 99, block: 1, vocabulary: 'vocab.txt' };
const whole = { blocks: [block, inBase], bases: [{ name: 'base.prune' }], models: [model, { ...model, name: 'two' }] };

function decode(value: object, limits = DEFAULT_LIMITS): Promise<Manifest> {
  const bytes = new Packr({ useRecords: false, mapsAsObjects: true }).pack(value);
  return decodeManifest(Uint8Array.from(bytes), { version: 2, manifestOffset: 58 }, limits);
}

const corrupt = expect.objectContaining({ code: 'corrupt' });
const limit = expect.objectContaining({ code: 'limit' });

test('one model without a name, and nothing in it', async () => {
  const manifest: Manifest = { blocks: [], bases: [], models: [{ entries: [] }] };
  const decoded = await decodeManifest(encodeManifest(manifest), { version: 2, manifestOffset: 48 }, DEFAULT_LIMITS);
  expect(decoded).toEqual(manifest);
});

test('two models that share a block, one block in a base, parts', async () => {
  const manifest = await decode(whole);
  expect(manifest).toMatchObject({ bases: ['base.prune'], models: [{ name: 'one' }, { name: 'two' }] });
  expect(manifest.blocks).toEqual([block, { ...inBase, parts: [] }]);
  const again = await decodeManifest(encodeManifest(manifest), { version: 2, manifestOffset: 58 }, DEFAULT_LIMITS);
  expect(again).toEqual(manifest);
});

test.each<[string, object]>([
  ['no models', { models: [] }],
  ['a model without a name beside another', { models: [model, { entries: model.entries }] }],
  ['two models of one name', { models: [model, model] }],
  ['a name with a #', { models: [{ ...model, name: 'a#b' }] }],
  ['a name that is a path', { models: [{ ...model, name: '../a' }] }],
  ['a name that is empty', { models: [{ ...model, name: '' }] }],
  ['a name with a control character', { models: [{ ...model, name: 'a\u001b[2J' }] }],
  ['a base without a name', { bases: [{}] }],
  ['a base that is not there', { blocks: [block, { ...inBase, base: 1 }] }],
  ['a block in this file and in a base', { blocks: [block, { ...inBase, offset: 58 }] }],
  ['a block nowhere', { blocks: [block, { ...inBase, base: undefined, codec: 'raw' }] }],
  ['a block without SHA-256', { blocks: [{ ...block, sha256: undefined }, inBase] }],
  ['a SHA-256 of 31 bytes', { blocks: [{ ...block, sha256: new Uint8Array(31) }, inBase] }],
  ['parts longer than the block', { blocks: [{ ...block, parts: [part, { ...part, length: 8 }] }, inBase] }],
  ['a part without SHA-256', { blocks: [{ ...block, parts: [{ length: 3, crc32: 1 }] }, inBase] }],
  ['a part of a negative length', { blocks: [{ ...block, parts: [{ ...part, length: -1 }] }, inBase] }],
  ['a hole between blocks', { blocks: [{ ...block, offset: 49 }, inBase] }],
  ['a block that no model uses', { models: [{ ...model, entries: [entry] }] }],
  [
    'a block of other shapes in another model',
    { models: [model, { name: 'two', entries: [{ ...entry, shape: [5, 2] }, other] }] },
  ],
  [
    'a block that is a file in another model',
    { models: [model, { name: 'two', entries: [other], files: [{ name: 'vocab.txt', length: 10, block: 0 }] }] },
  ],
])('corrupt: %s', async (_, change) => {
  await expect(decode({ ...whole, ...change })).rejects.toEqual(corrupt);
});

test('limits: models, bases, parts, and the tensors of all models together', async () => {
  const many = <T>(count: number, one: (i: number) => T) => Array.from({ length: count }, (_, i) => one(i));
  await expect(decode({ ...whole, models: many(1001, (i) => ({ ...model, name: `m${i}` })) })).rejects.toEqual(limit);
  await expect(decode({ ...whole, bases: many(1001, (i) => ({ name: `b${i}` })) })).rejects.toEqual(limit);
  const parts = many(17, () => ({ ...part, length: 0 }));
  await expect(decode({ ...whole, blocks: [{ ...block, parts }, inBase] })).rejects.toEqual(limit);
  await expect(decode(whole, { ...DEFAULT_LIMITS, tensors: 3 })).rejects.toEqual(limit);
  expect((await decode(whole, { ...DEFAULT_LIMITS, tensors: 4 })).models).toHaveLength(2);
});

describe('a file whose vocabulary is another file', () => {
  const lines = { codec: 'gzip', offset: 48, length: 10, crc32: 1, sha256, shares: [10] };
  const rest = { codec: 'json-vocabulary', base: 0, length: 9, crc32: 1, sha256, shares: [9] };
  const blocks = [lines, rest];
  const bases = [{ name: 'base.prune' }];
  const manifest = { blocks, bases, models: [{ entries: [], files: [linesFile, jsonFile] }] };
  const plain = { ...rest, codec: 'gzip' };

  test('comes back', async () => {
    const decoded = await decode(manifest);
    expect(decoded.models[0].files).toEqual([linesFile, jsonFile]);
    const again = await decodeManifest(encodeManifest(decoded), { version: 2, manifestOffset: 58 }, DEFAULT_LIMITS);
    expect(again).toEqual(decoded);
  });

  test('is shared by models that share the vocabulary', async () => {
    const files = [linesFile, jsonFile];
    const named = (name: string, own: object[]) => ({ name, entries: [], files: own });
    expect((await decode({ ...manifest, models: [named('a', files), named('b', files)] })).models.length).toBe(2);
    const apart = [{ ...linesFile, block: 2 }, jsonFile];
    await expect(
      decode({ blocks: [...blocks, plain], bases, models: [named('a', files), named('b', apart)] }),
    ).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining('vocabulary of block 2') });
  });

  test.each<[string, object]>([
    ['no vocabulary', { models: [{ entries: [], files: [linesFile, { ...jsonFile, vocabulary: undefined }] }] }],
    ['a vocabulary of a block that has its own', { blocks: [lines, plain] }],
    [
      'a file that is not there',
      { models: [{ entries: [], files: [{ ...linesFile, name: 'merges.txt' }, jsonFile] }] },
    ],
    ['itself', { models: [{ entries: [], files: [linesFile, { ...jsonFile, vocabulary: 'tokenizer.json' }] }] }],
    ['a number', { models: [{ entries: [], files: [linesFile, { ...jsonFile, vocabulary: 0 }] }] }],
    [
      'a file that lacks a vocabulary too',
      {
        blocks: blocks.map((one) => ({ ...one, codec: 'json-vocabulary' })),
        models: [{ entries: [], files: [{ ...linesFile, vocabulary: 'tokenizer.json' }, jsonFile] }],
      },
    ],
  ])('%s: corrupt', async (_, change) => {
    const value = JSON.parse(JSON.stringify({ ...manifest, ...change }));
    for (const one of value.blocks) one.sha256 = sha256;
    await expect(decode(value)).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringContaining('vocabular'),
    });
  });
});
