import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DEFAULT_LIMITS } from '@prune/core';
import { hostilePath, runInChild } from '@prune/fixtures';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bytes, global, list, none, text } from '../test/make-pickle.js';
import { makeSafetensors } from '../test/make-safetensors.js';
import { makeTorchZip } from '../test/make-torch-file.js';
import { openPytorch } from './open-pytorch.js';

const OPEN_AND_READ = `
import { openCheckpoint } from '@prune/checkpoint/node';
export default async (path: string) => {
  const { tensors, close } = await openCheckpoint(path);
  let bytes = 0;
  let count = 0;
  for (const name of tensors.keys()) {
    for await (const { data } of tensors.pieces(name).pieces()) bytes += data.byteLength;
    count++;
  }
  await close();
  return { count, bytes };
};`;

// The promise is 64 MB and 1 s. Both leave room here for compiled code and for a machine with other work.
const MOST_BYTES = 80_000_000;
const MOST_SECONDS = 4;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-hostile-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function expectOutcome(path: string, outcome: object, mostBytes = MOST_BYTES, mostSeconds = MOST_SECONDS) {
  const { seconds: took, peakBytes, ...rest } = await runInChild(OPEN_AND_READ, { argument: path });
  expect(rest).toMatchObject(outcome);
  expect(peakBytes, 'peak bytes').toBeLessThan(mostBytes);
  expect(took, 'seconds').toBeLessThan(mostSeconds);
}

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, `${name.replaceAll(' ', '-')}.bin`);
  writeFileSync(path, bytes);
  return path;
}

const LIMIT = { error: { name: 'PruneError', code: 'limit' } };

test.each(['pickle-tensor-bomb.bin', 'pickle-od-bomb.bin'])('%s', (name) => expectOutcome(hostilePath(name), LIMIT));

const times = (count: number, bytes: Bytes): number[] => new Array<Bytes>(count).fill(bytes).flat();
// Memo 0: arguments. Memo 1: what is called with them.
const pairs: Bytes = [...list(...new Array<Bytes>(100).fill(list(text('k'), none))), 0x85, 0x71, 0, 0x30];
const orderedDict: Bytes = [...global('collections', 'OrderedDict'), 0x71, 1, 0x30];
const recalled: Bytes = [0x68, 1, 0x68, 0, 0x52];

const PICKLES: Record<string, Bytes> = {
  'dicts of one list in the memo': [...pairs, ...orderedDict, ...times(40_000, recalled)],
  'tuples of tuples': [0x29, ...times(1_000_000, [0x85])],
  'empty dicts': times(500_000, [0x7d]),
  'values alone': times(2_000_000, [0x4e]),
  'strings of one letter': times(1_000_000, [0x8c, 1, 0x61]),
  'numbers in the memo, far apart': [0x4e, ...Array.from({ length: 400_000 }, (_, i) => farApart(1000 + 7 * i)).flat()],
};

function farApart(key: number): Bytes {
  return [0x72, key & 0xff, (key >> 8) & 0xff, (key >> 16) & 0xff, 0];
}

test.each(Object.entries(PICKLES))('a deflated pickle of %s', (name, root) =>
  expectOutcome(fileOf(name, makeTorchZip(root, { 0: new Uint8Array(4) }, { deflate: true })), LIMIT),
);

test('5,000 tensors, saved as torch does, have room in the budget of their pickle', async () => {
  // torch has every tuple, string and dict in the memo, and names a global once.
  const memo = { next: 0 };
  const kept = (...bytes: Bytes): Bytes => [...bytes, ...farApart(memo.next++)];
  const globals = [
    'torch._utils _rebuild_tensor_v2',
    'torch FloatStorage',
    'collections OrderedDict',
    'storage',
    'cpu',
  ];
  const root: number[] = [0x7d, ...kept()];
  for (const name of globals) {
    root.push(...(name.includes(' ') ? global(...(name.split(' ') as [string, string])) : text(name)), ...kept(), 0x30);
  }
  root.push(0x28);
  const [rebuild, type, ordered, word, place] = [1, 2, 3, 4, 5].map((index): Bytes => [0x68, index]);
  for (let i = 0; i < 5_000; i++) {
    root.push(...text(`bert.encoder.layer.${i}.attention.self.query.weight`), ...kept(), ...rebuild, 0x28);
    root.push(0x28, ...word, ...type, ...text('0'), ...kept(), ...place, 0x4b, 1, 0x74, ...kept(), 0x51, 0x4b, 0);
    root.push(0x4b, 1, 0x4b, 1, 0x86, ...kept(), 0x4b, 1, 0x4b, 1, 0x86, ...kept(), 0x89);
    root.push(...ordered, 0x29, 0x52, ...kept(), 0x74, ...kept(), 0x52, ...kept());
  }
  root.push(0x75);
  const file = makeTorchZip(root, { 0: new Uint8Array(4) });
  const { keys } = await openPytorch(file, { limits: { ...DEFAULT_LIMITS, tensors: 6_000 } });
  expect([...keys()]).toHaveLength(5_000);
});

const empty = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';

test('safetensors: 100,000 tensors without bytes, the most that are taken, within 15 s and 130 MB', () => {
  const header = members(100_000, (i) => `"t${i}":${empty}`);
  const file = fileOf('safetensors most', makeSafetensors(header, new Uint8Array(0)));
  return expectOutcome(file, { value: { count: 100_000, bytes: 0 } }, 130_000_000, 15);
});

test.each<[string, string, object]>([
  ['100,001 tensors without bytes', members(100_001, (i) => `"t${i}":${empty}`), LIMIT],
  ['a million times the same name', members(1_000_000, () => '"__metadata__":{}'), { error: { code: 'corrupt' } }],
  ['1,000,000 metadata entries', `{"__metadata__":${members(1_000_000, (i) => `"${i}":""`)}}`, LIMIT],
  ['8 MB of blanks', `{${' '.repeat(8_000_000)}}`, { value: { count: 0, bytes: 0 } }],
  ['8 MB of backslashes', `{"${'\\\\'.repeat(4_000_000)}":${empty}}`, LIMIT],
])('safetensors: %s, within 4 s and 80 MB and 4 times the file', (name, header, outcome) =>
  expectOutcome(
    fileOf(`safetensors ${name}`, makeSafetensors(header, new Uint8Array(0))),
    outcome,
    MOST_BYTES + 4 * header.length,
  ),
);

function members(count: number, member: (i: number) => string): string {
  return `{${Array.from({ length: count }, (_, i) => member(i)).join()}}`;
}

test.each<[string, string, object]>([
  ['700,000 names', `{"weight_map":${members(700_000, (i) => `"t${i}":"a"`)}}`, LIMIT],
  ['16 MB of empty objects', `{"weight_map":[${'{},'.repeat(5_000_000)}0]}`, LIMIT],
  ['a shard for each tensor', `{"weight_map":${members(100_000, (i) => `"t${i}":"f${i}"`)}}`, LIMIT],
  ['a shard above the folder', '{"weight_map":{"a":"../x.safetensors"}}', { error: { code: 'corrupt' } }],
  ['itself as a shard', '{"weight_map":{"a":"index.json"}}', { error: { code: 'unsupported' } }],
])('an index with %s, within 4 s and 80 MB and 4 times the file', (name, index, outcome) => {
  const path = join(folder, name.replaceAll(' ', '-'));
  mkdirSync(path);
  writeFileSync(join(path, 'index.json'), index);
  return expectOutcome(join(path, 'index.json'), outcome, MOST_BYTES + 4 * index.length);
});

test('the files of a tokenizer, gzipped, that inflate to more than 32 MB together', () => {
  const path = join(folder, 'gzipped-tokenizer');
  mkdirSync(path);
  writeFileSync(join(path, 'model.safetensors'), makeSafetensors('{}'));
  const half = gzipSync(new Uint8Array(20_000_000));
  for (const name of ['tokenizer.json', 'vocab.txt', 'merges.txt']) writeFileSync(join(path, `${name}.gz`), half);
  return expectOutcome(path, LIMIT);
});
