import {
  crc32,
  DEFAULT_LIMITS,
  type Elementary,
  isPruneError,
  memorySink,
  scalar,
  tensor,
  writeStore,
} from '@prune/core';
import { gunzipSync, gzipSync } from 'fflate';
import { Packr } from 'msgpackr/index-no-eval';
import { beforeAll, expect, test } from 'vitest';
import { decodePrologue, encodePrologue, PROLOGUE_BYTES } from './container/prologue.js';
import { createMsgpackStore } from './create-msgpack-store.js';
import { openMsgpackStore } from './open-msgpack-store.js';

/** Mutants of each kind in a run; PRUNE_FUZZ multiplies. */
const MUTANTS = 3000 * Number(process.env.PRUNE_FUZZ ?? 1);
/** Small, so that a mutant that declares much would be noticed by its memory. */
const LIMITS = { ...DEFAULT_LIMITS, tensorBytes: 1 << 20, tensors: 100, manifestBytes: 1 << 16 };

let seed: Uint8Array;

beforeAll(async () => {
  const entries = new Map<string, Elementary>([
    ['m.int_repr.data', tensor('int8', [40], new Int8Array(40).fill(3))],
    ['m.int_repr.indptr', tensor('int32', [5], Int32Array.of(0, 10, 20, 20, 40))],
    [
      'm.int_repr.indices',
      tensor(
        'uint16',
        [40],
        Uint16Array.from({ length: 40 }, (_, i) => (i % 20) * 3),
      ),
    ],
    ['m.scale', scalar('float64', 0.5)],
    ['m.dtype', 'qint8'],
    [
      'floats',
      tensor(
        'float32',
        [9, 9],
        Float32Array.from({ length: 81 }, (_, i) => i / 3),
      ),
    ],
    [
      'bytes',
      tensor(
        'uint8',
        [70],
        Uint8Array.from({ length: 70 }, (_, i) => i),
      ),
    ],
  ]);
  const sink = memorySink();
  const files = new Map([
    ['vocab.txt', new TextEncoder().encode('a\nb\n')],
    ['tokenizer.json', new TextEncoder().encode('{"model":{"vocab":{"a":0,"b":1}}}')],
  ]);
  await writeStore(await createMsgpackStore(sink), entries, { config: { a: [1] }, profile: 'fbgemm', files });
  seed = sink.bytes().slice();
});

/** A deterministic generator (mulberry32), so that a failure can be repeated from its number. */
function random(state: number): (below: number) => number {
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function mutate(bytes: Uint8Array, next: (below: number) => number): Uint8Array {
  let mutant = bytes.slice();
  for (let n = 1 + next(3); n > 0 && mutant.length > 0; n--) {
    const at = next(mutant.length);
    const kind = next(5);
    if (kind === 0) mutant[at] ^= 1 << next(8);
    else if (kind === 1) mutant[at] = [0, 1, 127, 128, 255][next(5)];
    else if (kind === 2) mutant = mutant.slice(0, at);
    else if (kind === 3) mutant = Uint8Array.from([...mutant.subarray(0, at), next(256), ...mutant.subarray(at)]);
    else mutant.copyWithin(at, next(mutant.length), next(mutant.length));
  }
  return mutant;
}

/** Reads everything. What comes out is a value or a PruneError; anything else fails the test. */
async function outcome(bytes: Uint8Array): Promise<'value' | 'error'> {
  try {
    const store = await openMsgpackStore(bytes, { limits: LIMITS });
    for (const name of store.keys()) {
      store.info(name);
      await store.get(name);
    }
    for (const name of store.metadata.files?.keys() ?? []) await store.metadata.files?.get(name);
    return 'value';
  } catch (error) {
    if (isPruneError(error)) return 'error';
    throw error;
  }
}

async function run(mutant: (next: (below: number) => number) => Uint8Array) {
  const seen = { value: 0, error: 0 };
  for (let number = 0; number < MUTANTS; number++) {
    const bytes = mutant(random(number));
    seen[await outcome(bytes).catch((cause) => expect.fail(`mutant ${number}: ${cause?.stack ?? cause}`))]++;
  }
  return seen;
}

/** The parts of a container around a manifest, checksums made to fit. */
function withManifest(blocks: Uint8Array, manifest: Uint8Array): Uint8Array {
  const packed = gzipSync(manifest, { mtime: 0 });
  const prologue = encodePrologue({
    version: 2,
    manifestOffset: PROLOGUE_BYTES + blocks.length,
    manifestLength: packed.length,
    manifestDecoded: manifest.length,
    manifestCrc: crc32(packed),
    fileLength: PROLOGUE_BYTES + blocks.length + packed.length,
  });
  return Uint8Array.from([...prologue, ...blocks, ...packed]);
}

function parts() {
  const { manifestOffset } = decodePrologue(seed.subarray(0, PROLOGUE_BYTES), seed.length, LIMITS);
  const manifest = gunzipSync(seed.subarray(manifestOffset));
  return { blocks: seed.slice(PROLOGUE_BYTES, manifestOffset), manifest };
}

test('the seed is whole', async () => {
  expect(await outcome(seed)).toBe('value');
  const { blocks, manifest } = parts();
  expect(await outcome(withManifest(blocks, manifest))).toBe('value');
});

test('anywhere: what the checksums catch', async () => {
  const seen = await run((next) => mutate(seed, next));
  expect(seen.error).toBeGreaterThan(0.9 * MUTANTS);
});

test('in the manifest, behind a checksum that fits', async () => {
  const { blocks, manifest } = parts();
  const seen = await run((next) => withManifest(blocks, mutate(manifest, next)));
  expect(seen.error).toBeGreaterThan(0.5 * MUTANTS);
});

test('a value of the manifest replaced by one of another kind or size', async () => {
  const { blocks, manifest } = parts();
  const packr = new Packr({ useRecords: false, mapsAsObjects: true });
  const odd = [
    0,
    -1,
    1.5,
    2 ** 32,
    2 ** 53,
    Number.NaN,
    '',
    'raw',
    'gzip',
    'entropy',
    null,
    [],
    {},
    new Uint8Array(3),
    true,
  ];
  const seen = await run((next) => {
    const value = packr.unpack(manifest);
    // A walk to a random place in it.
    let [holder, key]: [Record<string, unknown>, string] = [{ value }, 'value'];
    for (let depth = next(5); depth >= 0; depth--) {
      const inner = holder[key];
      if (typeof inner !== 'object' || inner === null || ArrayBuffer.isView(inner) || Object.keys(inner).length === 0)
        break;
      const keys = Object.keys(inner);
      [holder, key] = [inner as Record<string, unknown>, keys[next(keys.length)]];
    }
    holder[key] = odd[next(odd.length)];
    return withManifest(blocks, Uint8Array.from(packr.pack(value)));
  });
  expect(seen.error).toBeGreaterThan(0.5 * MUTANTS);
});

test('in a block, behind checksums that fit', async () => {
  const { blocks, manifest } = parts();
  const packr = new Packr({ useRecords: false, mapsAsObjects: true });
  const seen = await run((next) => {
    const value = packr.unpack(manifest);
    const number = next(value.blocks.length);
    const { offset, length } = value.blocks[number];
    const start = offset - PROLOGUE_BYTES;
    const stored = blocks.slice(start, start + length);
    // Half of the time inside the gzip member, so that its own checksum fits too.
    const inside = value.blocks[number].codec !== 'raw' && next(2) === 0;
    const changed = inside ? gzipSync(mutate(gunzipSync(stored), next), { mtime: 0 }) : mutate(stored, next);
    changed.fill(0, 8, 10);
    Object.assign(value.blocks[number], {
      length: changed.length,
      crc32: crc32(changed),
      shares: value.blocks[number].shares.map(() => 0),
    });
    for (let i = number + 1; i < value.blocks.length; i++) value.blocks[i].offset += changed.length - length;
    const all = Uint8Array.from([...blocks.subarray(0, start), ...changed, ...blocks.subarray(start + length)]);
    return withManifest(all, Uint8Array.from(packr.pack(value)));
  });
  expect(seen.error).toBeGreaterThan(0.3 * MUTANTS);
  expect(seen.value).toBeGreaterThan(0);
});
