import { memorySink, tensor, writeStore } from '@prune/core';
import { type FileServer, startFileServer } from '@prune/fixtures';
import { codecList, createMsgpackStore, openMsgpackStore } from '@prune/msgpack-store';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type MemoryCache, memoryCache } from '../test/memory-cache.js';
import { numberedBytes } from '../test/numbered-bytes.js';
import type { CachedSource } from './cached-file.js';
import { type CachedSourceOptions, cachedSource } from './cached-source.js';

/** A file of about 200 kB whose tensors differ by `seed`. */
async function file(seed: number): Promise<Uint8Array> {
  const sink = memorySink();
  const entries = Array.from({ length: 5 }, (_, i) => {
    const data = numberedBytes(40_000 + i, seed + i);
    return [`t${i}`, tensor('uint8', [data.length], data)] satisfies [string, object];
  });
  await writeStore(await createMsgpackStore(sink, { codecs: codecList('raw') }), entries, {});
  return sink.bytes().slice();
}

const READS: readonly [number, number][] = [
  [0, 48],
  [5000, 7000],
  [7000, 7001],
  [90_000, 130_000],
];
let server: FileServer;
let files: readonly Uint8Array[];
let integrity: string;
let cache: MemoryCache;
let url: string;

beforeAll(async () => {
  // Of the same size, so that it takes more than that to tell them apart.
  const first = await file(1);
  let second = await file(2);
  for (let seed = 3; second.length !== first.length; seed++) second = await file(seed);
  files = [first, second];
  integrity = (await openMsgpackStore(files[0])).integrity!;
  server = await startFileServer([]);
  url = `${server.origin}/model.prune`;
});
afterAll(() => server.close());
beforeEach(() => {
  cache = memoryCache();
  server.fault = () => undefined;
  serve(0);
});

function serve(which: number, path = '/model.prune', options: object = { etag: `"${which}"` }) {
  server.files.set(path, { bytes: files[which], ...options });
}

const open = async (options: Partial<CachedSourceOptions> = {}, from = url) =>
  (await cachedSource(from, { cache, timeout: 1000, retries: 0, ...options })) as CachedSource;

/** Opens the file, reads from it, closes it; gives the requests, and the bytes that the server sent. */
async function visit(reads = READS, options: Partial<CachedSourceOptions> = {}, which = 0, from = url) {
  server.log.length = 0;
  cache.log.length = 0;
  const source = await open(options, from);
  const parts = await source.readRanges(reads);
  for (const [i, [start, end]] of reads.entries()) {
    expect(Buffer.from(parts[i]).equals(files[which].subarray(start, end)), `${start}-${end}`).toBe(true);
  }
  await source.close();
  return { ranges: server.log.map(({ range }) => range), sent: server.log.reduce((sum, { sent }) => sum + sent, 0) };
}

const CHECK = ['bytes=0-47'];
const pieces = () => [...cache.entries.keys()].filter((key) => /content\/[^/]+\//.test(key));
/** Changes every piece. */
function damage(change: (bytes: Uint8Array) => Uint8Array) {
  for (const key of pieces()) cache.entries.set(key, change(cache.entries.get(key)!));
}

describe('what is fetched', () => {
  test('the second visit asks whether the file is the same, and with integrity nothing', async () => {
    const first = await visit();
    expect(first.sent).toBeLessThanOrEqual(24_576 + 48 + 42_001);
    expect((await visit()).ranges).toEqual(CHECK);
    expect((await visit(READS, { integrity })).ranges).toEqual([]);
    // The address, what is there, and the one piece.
    expect(cache.log.filter(([call]) => call === 'match').length).toBe(2);
    expect(pieces().length).toBe(1);
  });

  test('only what is missing comes, once, and is there at the next visit', async () => {
    await visit();
    const more: typeof READS = [
      [4000, 8000],
      [129_999, 130_002],
    ];
    const { ranges } = await visit(more);
    expect(ranges.sort()).toEqual([...CHECK, 'bytes=130000-130001', 'bytes=4000-4999', 'bytes=7001-7999'].sort());
    expect((await visit([...READS, ...more])).ranges).toEqual(CHECK);
    expect((await visit(more, { integrity })).ranges).toEqual([]);
  });

  test('reads at the same time share what is on its way, and each byte is stored once', async () => {
    const source = await open();
    server.log.length = 0;
    await Promise.all([source.read(50_000, 20_000), source.read(60_000, 5000), source.read(50_000, 20_000)]);
    expect(server.log.map(({ range }) => range)).toEqual(['bytes=50000-69999']);
    await source.close();
    const [stored] = pieces().map((key) => cache.entries.get(key)!.length);
    expect(stored).toBe(20_000);
  });

  test('the whole file: with integrity, any read comes from the cache', async () => {
    await visit([[0, files[0].length]]);
    const source = await open({ integrity });
    expect(source.missing(1000)).toEqual([]);
    server.log.length = 0;
    expect(Buffer.from(await source.read(0, source.size)).equals(files[0])).toBe(true);
    expect(server.log).toEqual([]);
    await source.close();
  });

  test('what is missing is listed in order, up to so many bytes', async () => {
    await visit();
    const source = await open({ integrity });
    expect(source.missing(5000)).toEqual([
      [48, 5000],
      [7001, 7049],
    ]);
    await source.close();
  });

  test('many small visits: few pieces, and all that was read is in one of them', async () => {
    const reads = Array.from({ length: 40 }, (_, i): [number, number] => [1000 + 3000 * i, 2000 + 3000 * i]);
    for (const read of reads) await visit([read], { integrity });
    expect(pieces().length).toBeLessThan(8);
    expect((await visit(reads, { integrity })).ranges).toEqual([]);
  });

  test('two addresses of one file share it', async () => {
    serve(0, '/other.prune', { etag: '"x"' });
    await visit();
    await visit(READS, {}, 0, `${server.origin}/other.prune`);
    expect(server.log.every(({ range }) => ['bytes=-24576', 'bytes=0-47'].includes(range!))).toBe(true);
    expect((await visit(READS, {}, 0, `${server.origin}/other.prune`)).ranges).toEqual(CHECK);
  });

  test('a password in the URL is sent each time, and is not stored', async () => {
    const secret = url.replace('//', '//user:secret@');
    await visit(READS, {}, 0, secret);
    await visit([...READS, [1000, 1010]], {}, 0, secret);
    expect(server.log.length).toBe(2);
    expect(server.log.every(({ authorization }) => authorization === `Basic ${btoa('user:secret')}`)).toBe(true);
    expect([...cache.entries.keys()].join()).not.toContain('secret');
  });

  test('a server without ranges: downloaded once, and the next visit listens to the beginning alone', async () => {
    serve(0, '/model.prune', { etag: '"0"', ranges: false });
    await visit();
    const source = await open();
    expect(source.missing(1)).toEqual([]);
    await source.close();
    expect((await visit([[100_000, 150_000]], { integrity })).ranges).toEqual([]);
  });

  test.each([
    ['not a container', () => ({ bytes: new TextEncoder().encode('<html>'.repeat(100)), type: 'text/html' })],
    [
      'a container whose manifest is damaged',
      () => ({ bytes: files[0].map((byte, i) => (i === files[0].length - 5 ? byte ^ 1 : byte)) }),
    ],
  ])('%s: read as it is, and nothing is stored', async (_, wrong) => {
    const served = wrong();
    server.files.set('/model.prune', served);
    const source = await open();
    expect(await source.read(0, 20)).toEqual(new Uint8Array(served.bytes.subarray(0, 20)));
    await source.close();
    expect(cache.entries.size).toBe(0);
  });
});

describe('another file', () => {
  test.each([
    ['another ETag', 1, { etag: '"1"' }],
    ['the same ETag', 1, { etag: '"0"' }],
    ['no ETag', 1, {}],
  ])('%s: the new bytes, and the old ones are deleted', async (_, which, options) => {
    await visit();
    const before = pieces();
    serve(which, '/model.prune', options);
    await visit(READS, {}, which);
    expect(pieces().filter((key) => before.includes(key))).toEqual([]);
    expect((await visit(READS, {}, which)).ranges).toEqual(CHECK);
  });

  test('a file that was cut is opened anew, and not kept', async () => {
    await visit();
    server.files.set('/model.prune', { bytes: files[0].subarray(0, -1000) });
    const source = await open();
    expect([source.size, 'forget' in source]).toEqual([files[0].length - 1000, false]);
    await source.close();
  });

  test('the same file under another ETag is not fetched again', async () => {
    await visit();
    serve(0, '/model.prune', { etag: '"new"' });
    const { ranges } = await visit();
    expect(ranges).toEqual(['bytes=0-47', 'bytes=-24576', 'bytes=0-47']);
    expect((await visit()).ranges).toEqual(CHECK);
  });

  test('content that another address has stays', async () => {
    serve(0, '/other.prune');
    await visit();
    await visit(READS, {}, 0, `${server.origin}/other.prune`);
    serve(1);
    await visit(READS, {}, 1);
    expect((await visit(READS, {}, 0, `${server.origin}/other.prune`)).ranges).toEqual(CHECK);
  });

  test('with integrity: what is cached is given, and what is missing is a mismatch', async () => {
    await visit();
    serve(1);
    expect((await visit(READS, { integrity })).ranges).toEqual([]);
    const source = await open({ integrity });
    await expect(source.read(1000, 10)).rejects.toMatchObject({ code: 'mismatch', wanted: integrity });
    await source.close();
  });

  test('early: given before the answer, and what is missing is a mismatch', async () => {
    await visit();
    serve(1);
    const source = await open({ early: true });
    await source.read(90_000, 9);
    expect(await source.confirmed).toBe(false);
    await expect(source.read(1000, 10)).rejects.toMatchObject({ code: 'mismatch', wanted: integrity });
    await source.close();
    serve(0);
    const same = await open({ early: true });
    expect(await same.confirmed).toBe(true);
    await same.close();
    server.files.delete('/model.prune');
    const gone = await open({ early: true });
    await expect(gone.confirmed).rejects.toMatchObject({ code: 'missing' });
    await gone.close();
  });

  test('while it is open: mismatch, with the version of the check', async () => {
    await visit();
    const source = await open();
    serve(1);
    await expect(source.read(1000, 10)).rejects.toMatchObject({ code: 'mismatch', got: '"1"', wanted: '"0"' });
    await source.close();
  });
});

describe('the network', () => {
  test.each([
    ['no connection', { cut: 0 }],
    ['no answer', { stall: -1 }],
    ['a server that is down', { status: 503 }],
  ])('%s: what is cached is read, and what is not is io', async (_, fault) => {
    await visit();
    server.fault = () => fault;
    const source = await open({ timeout: 1500 });
    expect(Buffer.from(await source.read(90_000, 9)).equals(files[0].subarray(90_000, 90_009))).toBe(true);
    await expect(source.read(1000, 10)).rejects.toMatchObject({ code: 'io' });
    server.fault = () => undefined;
    expect(Buffer.from(await source.read(1000, 9)).equals(files[0].subarray(1000, 1009))).toBe(true);
    await source.close();
  });

  test('a file that is gone: missing', async () => {
    await visit();
    server.files.delete('/model.prune');
    await expect(open()).rejects.toMatchObject({ code: 'missing' });
    expect((await visit(READS, { integrity })).ranges).toEqual([]);
  });
});

describe('a cache that fails', () => {
  test.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ['a changed byte', (bytes) => bytes.map((byte, i) => (i === 777 ? byte ^ 1 : byte))],
    ['cut', (bytes) => bytes.subarray(0, -1)],
    ['longer', (bytes) => Uint8Array.from([...bytes, 0])],
    ['empty', () => new Uint8Array()],
  ])('a piece is damaged: %s: fetched again, and whole at the next visit', async (_, change) => {
    await visit();
    damage(change);
    const { ranges } = await visit();
    expect(ranges.length).toBeGreaterThan(1);
    expect((await visit()).ranges).toEqual(CHECK);
    damage(change);
    await visit(READS, { integrity });
    expect((await visit(READS, { integrity })).ranges).toEqual([]);
  });

  test('a piece that was damaged is read from the cache again, once it is stored anew', async () => {
    await visit();
    damage((bytes) => bytes.subarray(1));
    const source = await open({ keepBytes: 0 });
    await source.readRanges(READS);
    await expect.poll(() => pieces().map((key) => cache.entries.get(key)!.length), { timeout: 3000 }).toEqual([42_049]);
    server.log.length = 0;
    await new Promise((resolve) => setTimeout(resolve, 50));
    await source.readRanges(READS);
    expect(server.log).toEqual([]);
    await source.close();
  });

  test.each(['url/', 'content/'])('an entry that is not a piece is damaged: %s', async (kind) => {
    await visit();
    for (const [key, bytes] of cache.entries) {
      if (key.includes(`/1/${kind}`))
        cache.entries.set(
          key,
          bytes.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
        );
    }
    await visit();
    expect((await visit()).ranges).toEqual(CHECK);
  });

  test('pieces that are gone are fetched again', async () => {
    await visit();
    for (const key of pieces()) cache.entries.delete(key);
    await visit();
    expect((await visit()).ranges).toEqual(CHECK);
  });

  test.each([0, 200, 20_000])('full at %d bytes: nothing is thrown, and what it holds stays right', async (quota) => {
    cache.quota = quota;
    for (let i = 0; i < 3; i++) await visit();
  });

  test('full at the second visit: what was stored is used', async () => {
    await visit();
    cache.quota = 0;
    await visit([[1000, 2000]]);
    expect((await visit()).ranges).toEqual(CHECK);
  });

  test('broken, from the start or later', async () => {
    cache.isBroken = true;
    await visit();
    cache.isBroken = false;
    await visit();
    cache.isBroken = true;
    await visit();
    cache.isBroken = false;
    const source = await open();
    cache.isBroken = true;
    expect(Buffer.from(await source.read(90_000, 9)).equals(files[0].subarray(90_000, 90_009))).toBe(true);
    await source.close();
  });
});

test('forget: removed from the cache, and read from the server', async () => {
  await visit();
  const source = await open();
  await source.read(90_000, 9);
  expect(source.hasUsedCache).toBe(true);
  await source.forget();
  expect(cache.entries.size).toBeLessThanOrEqual(1);
  server.log.length = 0;
  expect(Buffer.from(await source.read(90_000, 9)).equals(files[0].subarray(90_000, 90_009))).toBe(true);
  expect(server.log.length).toBe(1);
  expect(source.hasUsedCache).toBe(false);
  await source.close();
});

test('what is cached counts as progress', async () => {
  await visit([[0, 100_000]]);
  const seen: [number, number][] = [];
  const source = await open({ onProgress: ({ done, total }) => seen.push([done, total]) });
  await source.read(0, source.size);
  expect(seen.at(-1)).toEqual([source.size, source.size]);
  expect(seen[0][0]).toBeGreaterThan(100_000);
  await source.close();
});

test('a closed source, reads past the end, an aborted read', async () => {
  await visit();
  const source = await open();
  await expect(source.read(source.size, 1)).rejects.toMatchObject({ code: 'truncated' });
  await expect(source.readRanges([[0, 1]], AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  await source.close();
  await source.close();
  await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'invalid-argument' });
});
