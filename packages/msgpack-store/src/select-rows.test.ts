import { createHash } from 'node:crypto';
import { type Codec, type Elementary, memorySink, type RandomAccess, tensor, writeStore } from '@prune/core';
import { beforeAll, expect, test } from 'vitest';
import { codecList } from './codecs/codec-list.js';
import { createMsgpackStore } from './create-msgpack-store.js';
import { openMsgpackStore } from './open-msgpack-store.js';
import { rowsFixture } from './rows.fixture.js';

const [ROWS, WIDTH] = [50, 9];
const data = Uint8Array.from({ length: ROWS * WIDTH }, (_, i) => (i * 7) % 251);
const entries = new Map<string, Elementary>([
  ['table', tensor('uint8', [ROWS, WIDTH], data)],
  ['plain', tensor('float32', [30, 3], new Float32Array(90).fill(0.5))],
]);
const codecs = [rowsFixture()];

async function pack(codec: Codec = rowsFixture()) {
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, { codecs: [codec, ...codecList()] }), entries, {});
  return sink.bytes().slice();
}

let bytes: Uint8Array;
beforeAll(async () => {
  bytes = await pack();
});

/** A source that remembers what was read of it. */
function watched(bytes: Uint8Array) {
  const reads: (readonly [start: number, end: number])[] = [];
  const source: RandomAccess = {
    name: 'watched.prune',
    size: bytes.length,
    async read(offset, length) {
      reads.push([offset, offset + length]);
      return bytes.slice(offset, offset + length);
    },
    async readRanges(ranges) {
      reads.push(...ranges);
      return ranges.map(([start, end]) => bytes.slice(start, end));
    },
  };
  return { source, reads };
}

const rowsOf = (rows: readonly number[]) =>
  Uint8Array.from(rows.flatMap((row) => [...data.subarray(row * WIDTH, (row + 1) * WIDTH)]));

test('no rows, some rows, rows that repeat and come in any order', async () => {
  const store = await openMsgpackStore(bytes, { codecs });
  for (const rows of [[], [0], [49, 3, 3, 0, 49], Array.from({ length: ROWS }, (_, i) => i)]) {
    const [table] = (await store.selectRows!(['table'], rows))!;
    expect(table).toEqual(tensor('uint8', [rows.length, WIDTH], rowsOf(rows)));
  }
  expect((await store.get('table')) as object).toEqual(entries.get('table'));
});

test('reads the parts once, and then the rows alone, by ranges', async () => {
  const { source, reads } = watched(bytes);
  const store = await openMsgpackStore(source, { codecs });
  reads.length = 0;
  await store.selectRows!(['table'], [7, 5]);
  await store.selectRows!(['table'], [5]);
  const start = 48;
  const end = start + ROWS * (WIDTH + 1) + 1;
  const row = (number: number) => [start + number * WIDTH, start + (number + 1) * WIDTH];
  expect(reads).toEqual([[end - 1, end], row(5), row(7), row(5)]);
});

test('asked for at once, a block is opened once', async () => {
  let opened = 0;
  const counting: Codec = {
    ...rowsFixture(),
    selectRows(...block) {
      opened++;
      return rowsFixture().selectRows!(...block);
    },
  };
  const store = await openMsgpackStore(bytes, { codecs: [counting] });
  const all = await Promise.all(Array.from({ length: 20 }, (_, row) => store.selectRows!(['table'], [row])));
  expect(all.map((one) => one![0].data)).toEqual(Array.from({ length: 20 }, (_, row) => rowsOf([row])));
  expect(opened).toBe(1);
});

test('what cannot be read so is undefined: another codec, inline values, absent names, several blocks', async () => {
  const store = await openMsgpackStore(bytes, { codecs });
  for (const names of [['plain'], ['absent'], ['table', 'absent'], ['table', 'plain'], []]) {
    expect(await store.selectRows!(names, [0])).toBeUndefined();
  }
  expect(await (await openMsgpackStore(bytes)).selectRows!(['table'], [0])).toBeUndefined();
});

test.each([[ROWS], [-1], [0.5], [Number.NaN]])('there is no row %d', async (row) => {
  const store = await openMsgpackStore(bytes, { name: 'f.prune', codecs });
  await expect(store.selectRows!(['table'], [0, row])).rejects.toMatchObject({
    code: 'invalid-argument',
    where: 'f.prune',
    tensor: 'table',
  });
});

test('a damaged part is corrupt; a damaged row is found by the codec, with the hashes that integrity asks for', async () => {
  const whole = await openMsgpackStore(bytes, { codecs });
  const integrity = whole.integrity!;
  const damaged = (at: number) => {
    const copy = bytes.slice();
    copy[at] ^= 1;
    return copy;
  };
  const wrong = { code: 'corrupt', where: 'f.prune', tensor: 'table' };
  const part = damaged(48 + ROWS * (WIDTH + 1));
  const damagedPart = await openMsgpackStore(part, { name: 'f.prune', codecs });
  await expect(damagedPart.selectRows!(['table'], [0])).rejects.toMatchObject(wrong);
  const row = await openMsgpackStore(damaged(48 + WIDTH), { name: 'f.prune', codecs, integrity });
  expect(await row.selectRows!(['table'], [0])).toHaveLength(1);
  await expect(row.selectRows!(['table'], [1])).rejects.toMatchObject(wrong);
  await expect(row.get('table')).rejects.toMatchObject(wrong);
});

test('a failure is forgotten, an abort ends the wait, a closed store says so', async () => {
  let down = true;
  const slow: RandomAccess = {
    size: bytes.length,
    async read(offset, length) {
      if (down && offset > 48 && length === 1) throw new Error('the network is down');
      return bytes.slice(offset, offset + length);
    },
  };
  const store = await openMsgpackStore(slow, { codecs });
  await expect(store.selectRows!(['table'], [0])).rejects.toMatchObject({ code: 'io', tensor: 'table' });
  down = false;
  expect(await store.selectRows!(['table'], [0])).toHaveLength(1);
  const signal = AbortSignal.abort();
  await expect(store.selectRows!(['table'], [0], { signal })).rejects.toMatchObject({ code: 'aborted' });
  await store.close();
  await expect(store.selectRows!(['table'], [0])).rejects.toMatchObject({ what: 'the store is closed' });
});

const BLOCK = 2 * WIDTH;
test.each<[string, Codec['selectRows']]>([
  ['too few tensors', async () => async () => []],
  ['another dtype', async () => async () => [tensor('int8', [1, WIDTH], new Int8Array(WIDTH))]],
  ['too few rows', async () => async () => [tensor('uint8', [0, WIDTH], new Uint8Array(0))]],
  ['a part that is not there', async (block) => block.part(2).then(() => undefined)],
  ['bytes past the block', async (block) => block.read([[0, BLOCK * ROWS]]).then(() => undefined)],
  ['bytes before the block', async (block) => block.read([[-1, 0]]).then(() => undefined)],
  ['a range backwards', async (block) => block.read([[3, 2]]).then(() => undefined)],
])('a codec that gives or asks for %s is caught at the seam', async (_, selectRows) => {
  const store = await openMsgpackStore(bytes, { codecs: [{ ...rowsFixture(), selectRows }] });
  await expect(store.selectRows!(['table'], [0])).rejects.toMatchObject({ code: 'corrupt', tensor: 'table' });
});

test('a codec that writes on after its parts is refused', async () => {
  const late: Codec = {
    ...rowsFixture(),
    encode: () => [{ bytes: new Uint8Array(3), part: true }, { bytes: new Uint8Array(1) }],
  };
  await expect(pack(late)).rejects.toMatchObject({ code: 'corrupt', tensor: 'table' });
});

test('integrity is the SHA-256 of the manifest, and must be the one that is asked for', async () => {
  const store = await openMsgpackStore(bytes, { codecs });
  const manifest = bytes.subarray(Number(Buffer.from(bytes).readBigUInt64LE(12)));
  expect(store.integrity).toBe(`sha256-${createHash('sha256').update(manifest).digest('base64')}`);
  const { integrity } = store;
  const checked = await openMsgpackStore(bytes, { codecs, integrity });
  for (const name of checked.keys()) await checked.get(name);
  const other = `sha256-${createHash('sha256').digest('base64')}`;
  await expect(openMsgpackStore(bytes, { name: 'f.prune', integrity: other })).rejects.toMatchObject({
    code: 'mismatch',
    where: 'f.prune',
    got: integrity,
    wanted: other,
  });
});

test('what has another SHA-256 than the manifest says is corrupt where integrity was asked for, whatever its CRC-32', async () => {
  // Another writer's digest: the file is whole by its CRC-32, and its manifest by its own SHA-256.
  const zeros = () => ({ update() {}, digest: () => new Uint8Array(32) });
  const sink = memorySink();
  const writer = await createMsgpackStore(sink, { codecs: [rowsFixture(), ...codecList()], createSha256: zeros });
  await writeStore(writer, entries, {});
  const { integrity } = await openMsgpackStore(sink.bytes(), { codecs });
  const lenient = await openMsgpackStore(sink.bytes(), { codecs });
  expect(await lenient.get('plain')).toBeDefined();
  expect(await lenient.selectRows!(['table'], [0])).toBeDefined();
  const strict = await openMsgpackStore(sink.bytes(), { codecs, integrity });
  const wrong = { code: 'corrupt', what: expect.stringContaining('SHA-256') };
  await expect(strict.get('plain')).rejects.toMatchObject(wrong);
  await expect(strict.selectRows!(['table'], [0])).rejects.toMatchObject(wrong);
});

test('fetching ahead reads what is not read by rows, in as few ranges as it lies in', async () => {
  const files = new Map([['vocab.txt', new TextEncoder().encode('a\nb\n'.repeat(99))]]);
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, { codecs: [rowsFixture(), ...codecList()] }), entries, { files });
  for (const integrity of [undefined, (await openMsgpackStore(sink.bytes(), { codecs })).integrity]) {
    const { source, reads } = watched(sink.bytes());
    const store = await openMsgpackStore(source, { codecs, integrity });
    reads.length = 0;
    await store.fetchAhead(10_000);
    // The table lies first: its rows, a check byte for each, which only hashes need, and its width. The vocabulary is
    // last.
    const { storedBytes } = store.info('plain')!;
    const [from, to] = [48 + ROWS * WIDTH + (integrity === undefined ? ROWS : 0), 48 + ROWS * WIDTH + ROWS + 1];
    expect(reads).toEqual([[from, to + storedBytes]]);
    reads.length = 0;
    await store.fetchAhead(storedBytes - 1);
    expect(reads).toEqual(integrity === undefined || storedBytes > ROWS + 1 ? [[from, to]] : []);
  }
});

test('reading ahead does not read files, and not the rows of a table', async () => {
  const many = new Map<string, Elementary>(
    Array.from({ length: 9 }, (_, i) => [`plain${i}`, tensor('float32', [999], new Float32Array(999).fill(i))]),
  );
  const files = new Map([['vocab.txt', Uint8Array.from({ length: 30_000 }, (_, i) => (i * i) % 251)]]);
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, { codecs: codecList('raw') }), many, { files });
  const { source, reads } = watched(sink.bytes());
  const store = await openMsgpackStore(source);
  reads.length = 0;
  for (const name of many.keys()) await store.get(name);
  expect(Math.max(...reads.map(([, end]) => end))).toBe(48 + 9 * 999 * 4);
});
