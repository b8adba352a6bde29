import { DEFAULT_LIMITS, type JsonObject } from '@prune/core';
import { expect, test } from 'vitest';
import { makeSafetensors } from '../test/make-safetensors.js';
import { openSharded } from './open-sharded.js';

const shard = (name: string, value: number) => {
  const header = { [name]: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } };
  return makeSafetensors(header, Uint8Array.of(value));
};

/** The code of what opening throws, and how many shards stayed open. */
async function open(index: JsonObject, files: Record<string, Uint8Array>) {
  let open = 0;
  const openShard = async (file: string) => {
    const bytes = files[file];
    open++;
    return {
      size: bytes.length,
      read: async (at: number, n: number) => bytes.subarray(at, at + n),
      close: async () => void open--,
    };
  };
  const checkpoint = await openSharded(index, openShard, { name: 'i.json' }).catch((error) => error);
  return { checkpoint, left: () => open };
}

test('an index without tensors is refused', async () => {
  for (const index of [{}, { weight_map: {} }, { weight_map: [] }, { weight_map: 'x' }]) {
    expect((await open(index, {})).checkpoint).toMatchObject({ code: 'corrupt', where: 'i.json' });
  }
});

test('tensors of two shards in the order of the index', async () => {
  const files = { 'b-1.safetensors': shard('x', 1), 'a-2.safetensors': shard('y', 2) };
  const { checkpoint, left } = await open({ weight_map: { y: 'a-2.safetensors', x: 'b-1.safetensors' } }, files);
  expect([...checkpoint.keys()]).toEqual(['y', 'x']);
  expect([...(await checkpoint.get('x')).data, ...(await checkpoint.get('y')).data]).toEqual([1, 2]);
  for await (const piece of checkpoint.pieces('y').pieces()) expect([...piece.data]).toEqual([2]);
  expect(checkpoint.info('z')).toBeUndefined();
  expect(checkpoint.pieces('z')).toBeUndefined();
  expect(await checkpoint.get('z')).toBeUndefined();
  expect(left()).toBe(2);
  await checkpoint.close();
  expect(left()).toBe(0);
});

test('names of shards with blanks, brackets and other letters', async () => {
  const names = ['part 1.safetensors', 'teil-ä (2).bin', '~x+y@z,w'];
  const files = Object.fromEntries(names.map((name, i) => [name, shard(`t${i}`, i)]));
  const index = { weight_map: Object.fromEntries(names.map((name, i) => [`t${i}`, name])) };
  const { checkpoint } = await open(index, files);
  expect([...checkpoint.keys()]).toEqual(['t0', 't1', 't2']);
  expect((await checkpoint.get('t2')).data).toEqual(Uint8Array.of(2));
});

test('a tensor that its shard does not have, a broken shard: refused, and every shard closed', async () => {
  const files = { a: shard('x', 1), b: Uint8Array.of(1, 2, 3) };
  const missing = await open({ weight_map: { x: 'a', y: 'a' } }, files);
  expect(missing.checkpoint).toMatchObject({ code: 'missing', tensor: 'y' });
  expect(missing.left()).toBe(0);
  const broken = await open({ weight_map: { x: 'a', y: 'b' } }, files);
  expect(broken.checkpoint).toMatchObject({ code: 'unsupported', where: 'b' });
  expect(broken.left()).toBe(0);
});

test('names that leave the folder, and too many shards, are refused before anything is opened', async () => {
  for (const file of [
    '../a',
    '/etc/passwd',
    'a/b',
    'a\\b',
    '..',
    '.',
    '',
    'C:a',
    'a\0',
    'a\n',
    '.hidden',
    'x'.repeat(256),
    7,
    null,
  ]) {
    const { checkpoint, left } = await open({ weight_map: { x: file } }, {});
    expect(checkpoint).toMatchObject({ code: 'corrupt', tensor: 'x' });
    expect(left()).toBe(0);
  }
  const map = Object.fromEntries(Array.from({ length: 513 }, (_, i) => [`x${i}`, `f${i}`]));
  expect((await open({ weight_map: map }, {})).checkpoint).toMatchObject({ code: 'limit' });
  expect((await open({ weight_map: { ['x'.repeat(1025)]: 'a' } }, {})).checkpoint).toMatchObject({ code: 'limit' });
  const limits = { ...DEFAULT_LIMITS, tensors: 1 };
  await expect(
    openSharded({ weight_map: { x: 'a', y: 'a' } }, async () => shard('x', 1), { limits }),
  ).rejects.toMatchObject({ code: 'limit' });
});

test('the tensors of all shards count, those that the index does not name too', async () => {
  const names = Array.from({ length: 6 }, (_, i) => [`t${i}`, { dtype: 'U8', shape: [0], data_offsets: [0, 0] }]);
  const files: Record<string, Uint8Array> = {};
  for (const file of ['a', 'b']) {
    const header = { [file]: { dtype: 'U8', shape: [0], data_offsets: [0, 0] }, ...Object.fromEntries(names) };
    files[file] = makeSafetensors(header, new Uint8Array(0));
  }
  const index = { weight_map: { a: 'a', b: 'b' } };
  const opened = (tensors: number) =>
    openSharded(index, async (file) => files[file], { limits: { ...DEFAULT_LIMITS, tensors } });
  await expect(opened(13)).rejects.toMatchObject({ code: 'limit' });
  expect([...(await opened(14)).keys()]).toEqual(['a', 'b']);
});

test('an index that names itself is not a shard', async () => {
  const bytes = new TextEncoder().encode('{"weight_map":{"x":"i.json"}}');
  const { checkpoint, left } = await open({ weight_map: { x: 'i.json' } }, { 'i.json': bytes });
  expect(checkpoint).toMatchObject({ code: 'unsupported' });
  expect(left()).toBe(0);
});
