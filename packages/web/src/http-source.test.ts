import { getEventListeners } from 'node:events';
import { type Fault, type FileServer, type ServedFile, startFileServer } from '@prune/fixtures';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { numberedBytes } from '../test/numbered-bytes.js';
import { type HttpSourceOptions, httpSource } from './http-source.js';

const BYTES = numberedBytes(300_007);
/** Short times, so that a test of failures takes none. */
const FAST = { timeout: 2000, firstBytes: 1000 };

let server: FileServer;
beforeAll(async () => {
  server = await startFileServer([]);
});
afterAll(() => server.close());
beforeEach(() => {
  server.files.clear();
  server.redirects.clear();
  server.log.length = 0;
  server.fault = () => undefined;
});

/** Serves the file as `/model.prune` and opens it. */
function open(file: Partial<ServedFile> = {}, options: HttpSourceOptions = {}) {
  server.files.set('/model.prune', { bytes: BYTES, etag: '"1"', ...file });
  return httpSource(`${server.origin}/model.prune`, { ...FAST, ...options });
}
/** Compared by Buffer, because toEqual takes seconds for 300 kB. */
function expectBytes(got: Uint8Array, start: number, end: number) {
  expect(Buffer.from(got).equals(BYTES.subarray(start, end)), `bytes ${start} to ${end}`).toBe(true);
}
const bytesOf = (log = server.log) => log.reduce((sum, { sent }) => sum + sent, 0);
const rangesOf = () => server.log.map(({ range }) => range);
/** Faults of the first requests, one after another. */
const faults = (...list: (Fault | undefined)[]) => {
  server.fault = (_, number) => list[number];
};

describe('ranges', () => {
  test('an empty file', async () => {
    const source = await open({ bytes: new Uint8Array(0) });
    expect(source.size).toBe(0);
    expect(await source.read(0, 0)).toEqual(new Uint8Array(0));
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'truncated' });
    const whole = await open({ bytes: new Uint8Array(0), ranges: false });
    expect(whole.size).toBe(0);
  });

  test('the first request gives the size and the end of the file, which answers reads', async () => {
    const source = await open();
    expect(source).toMatchObject({ size: BYTES.length, name: `${server.origin}/model.prune` });
    expectBytes(await source.read(BYTES.length - 1000, 1000), -1000, BYTES.length);
    expect(rangesOf()).toEqual(['bytes=-1000']);
  });

  test('a server that takes a range from the end for one from the start', async () => {
    const source = await open({ suffixRanges: false });
    expect(source.size).toBe(BYTES.length);
    expectBytes(await source.read(BYTES.length - 1000, 1000), -1000, BYTES.length);
    expectBytes(await source.read(0, 900), 0, 900);
    expect(rangesOf()).toEqual(['bytes=-1000', `bytes=${BYTES.length - 1000}-${BYTES.length - 1}`]);
  });

  test('a file that is shorter than the first request', async () => {
    const source = await open({ bytes: BYTES.subarray(0, 7) });
    expect(source.size).toBe(7);
    expectBytes(await source.read(2, 5), 2, 7);
    expect(rangesOf()).toEqual(['bytes=-1000']);
  });

  test('a known size: no request before the first read', async () => {
    const source = await open({}, { size: BYTES.length });
    expect(server.log).toEqual([]);
    expectBytes(await source.read(10, 20), 10, 30);
    expect(rangesOf()).toEqual(['bytes=10-29']);
    const wrong = await open({}, { size: BYTES.length + 1 });
    await expect(wrong.read(10, 20)).rejects.toMatchObject({ code: 'mismatch' });
  });

  test('neighbours are joined, ranges that are far apart are not, in the order of the caller', async () => {
    const source = await open({}, { gapBytes: 100 });
    const ranges = [
      [5000, 5010],
      [200, 300],
      [0, 100],
      [5111, 5120],
      [5000, 5005],
      [70, 70],
    ] as const;
    const parts = await source.readRanges(ranges);
    expect(parts).toEqual(ranges.map(([start, end]) => BYTES.slice(start, end)));
    expect(rangesOf().slice(1)).toEqual(['bytes=0-299', 'bytes=5000-5009', 'bytes=5111-5119']);
    // The gap came along.
    expectBytes(await source.read(100, 100), 100, 200);
    expect(server.log.length).toBe(4);
  });

  test('a gap that has bytes already is not fetched along', async () => {
    const source = await open({}, { gapBytes: 200 });
    await source.read(5000, 100);
    const ranges = [
      [4990, 5000],
      [5100, 5110],
      [5120, 5130],
    ] as const;
    const parts = await source.readRanges(ranges);
    expect(parts).toEqual(ranges.map(([start, end]) => BYTES.slice(start, end)));
    expect(rangesOf().slice(2)).toEqual(['bytes=4990-4999', 'bytes=5100-5129']);
  });

  test('each byte is fetched once, whatever overlaps, one after another and at the same time', async () => {
    const source = await open({}, { gapBytes: 0 });
    const reads: [number, number][] = [
      [0, 5000],
      [4000, 2000],
      [1000, 100],
      [7000, 1000],
      [5500, 3000],
    ];
    const together = await Promise.all(reads.map(([offset, length]) => source.read(offset, length)));
    for (const [i, [offset, length]] of reads.entries()) {
      expectBytes(together[i], offset, offset + length);
      expectBytes(await source.read(offset, length), offset, offset + length);
    }
    expect(bytesOf()).toBe(1000 + 8500);
    // All of the file: what is there already is not asked for again.
    expectBytes(await source.read(0, BYTES.length), 0, BYTES.length);
    expect(bytesOf()).toBe(BYTES.length);
  });

  test('no more bytes are kept than allowed, those used last, beside those of the first request', async () => {
    const source = await open({}, { keepBytes: 2000, gapBytes: 0 });
    for (const at of [0, 5000, 0, 10_000]) expectBytes(await source.read(at, 1000), at, at + 1000);
    expect(server.log.length).toBe(4);
    for (const at of [BYTES.length - 1000, 0, 10_000]) await source.read(at, 1000);
    expect(server.log.length).toBe(4);
    expectBytes(await source.read(5000, 1000), 5000, 6000);
    expect(server.log.length).toBe(5);
  });

  test('so many requests at once, and no more', async () => {
    const slow = await startFileServer([['/x', { bytes: BYTES }]], { latency: 30 });
    let running = 0;
    let most = 0;
    const counting: HttpSourceOptions['fetch'] = async (url, request) => {
      most = Math.max(most, ++running);
      return fetch(url, request).finally(() => running--);
    };
    const source = await httpSource(`${slow.origin}/x`, { ...FAST, parallel: 3, gapBytes: 0, fetch: counting });
    const ranges = Array.from({ length: 9 }, (_, i) => [i * 1000, i * 1000 + 10] as const);
    expect(await source.readRanges(ranges)).toEqual(ranges.map(([start, end]) => BYTES.slice(start, end)));
    expect(most).toBe(3);
    await slow.close();
  });

  test('progress counts what came', async () => {
    const seen: number[] = [];
    const source = await open({}, { onProgress: ({ done, total }) => seen.push(done, total) });
    await source.read(0, BYTES.length);
    expect(seen.at(-2)).toBe(BYTES.length);
    expect(seen.filter((_, i) => i % 2 === 1).every((total) => total === BYTES.length)).toBe(true);
  });

  test('a password in the URL is sent as a header, and is in no message', async () => {
    server.files.set('/model.prune', { bytes: BYTES });
    const url = `${server.origin.replace('//', '//me:p%C3%A4ss@')}/model.prune?token=secret#x`;
    const source = await httpSource(url, FAST);
    expect(server.log[0].authorization).toBe(`Basic ${Buffer.from('me:päss').toString('base64')}`);
    expect(source.name).toBe(`${server.origin}/model.prune?...`);
  });

  test.each([
    ['not a url', {}, '"not a url"'],
    [`http://x/`, { parallel: 0 }, '0'],
    [`http://x/`, { timeout: Number.NaN }, 'NaN'],
    [`http://x/`, { size: -1 }, '-1'],
  ] as const)('invalid: %s %o', async (url, options, got) => {
    await expect(httpSource(url, options)).rejects.toMatchObject({ code: 'invalid-argument', got });
  });
});

describe('servers without ranges', () => {
  test.each([
    ['with a length', {}],
    ['that compress', { gzip: true }],
  ])('%s: one download answers all reads', async (_, file) => {
    const source = await open({ ranges: false, ...file });
    expect(source.size).toBe(BYTES.length);
    expectBytes(await source.read(0, BYTES.length), 0, BYTES.length);
    expect(await source.readRanges([[5, 10]])).toEqual([BYTES.slice(5, 10)]);
    expect(server.log.length).toBe(1);
  });

  test('in chunks, without a length', async () => {
    faults({ longer: 0, chunked: true });
    const source = await open({ ranges: false });
    expectBytes(await source.read(0, BYTES.length), 0, BYTES.length);
  });

  test('a download that is cut goes on where it was', async () => {
    faults({ cut: 100_000 }, { cut: 200_000 });
    const source = await open({ ranges: false });
    expectBytes(await source.read(0, BYTES.length), 0, BYTES.length);
    expect(server.log.length).toBe(3);
  });

  test('a download that is cut, and another file after it: mismatch', async () => {
    server.fault = (_, number) => {
      if (number === 1) server.files.set('/model.prune', { bytes: numberedBytes(BYTES.length, 1), ranges: false });
      return number === 0 ? { cut: 100_000 } : undefined;
    };
    await expect(open({ ranges: false, etag: undefined })).rejects.toMatchObject({ code: 'mismatch' });
  });

  test('a file that is larger than allowed: limit, before it is downloaded', async () => {
    const limits = { streamBytes: 1000 };
    await expect(open({ ranges: false }, { limits })).rejects.toMatchObject({ code: 'limit', got: BYTES.length });
    await expect(open({ ranges: false, gzip: true }, { limits })).rejects.toMatchObject({ code: 'limit' });
  });

  test('ranges that come compressed: all of the file, compressed', async () => {
    const source = await open({ gzip: true });
    expectBytes(await source.read(100, 1000), 100, 1100);
    expect(rangesOf()).toEqual(['bytes=-1000', undefined]);
  });

  test('ranges without Content-Range, and a status that does not know ranges: all of the file', async () => {
    faults({ longer: 0, contentRange: false });
    const source = await open();
    expectBytes(await source.read(100, 1000), 100, 1100);
    server.log.length = 0;
    faults({ status: 416 });
    expect((await open()).size).toBe(BYTES.length);
    server.log.length = 0;
    faults({ status: 501 });
    expect((await open()).size).toBe(BYTES.length);
  });

  test('a server that gives ranges at first and then all of the file', async () => {
    const source = await open();
    server.files.set('/model.prune', { bytes: BYTES, etag: '"1"', ranges: false });
    const reads = await Promise.all([source.read(0, 10), source.read(100_000, 10), source.read(200_000, 10)]);
    expect(reads).toEqual([0, 100_000, 200_000].map((at) => BYTES.slice(at, at + 10)));
    const before = server.log.length;
    expectBytes(await source.read(0, BYTES.length), 0, BYTES.length);
    expect(server.log.length).toBe(before);
  });

  test('a page in place of the file is named in the errors of those who read it', async () => {
    server.fault = () => ({ html: '<!doctype html><title>Sign in</title>' });
    const source = await open();
    expect(source.name).toBe(`${server.origin}/model.prune (status 200, text/html)`);
  });
});

describe('failures that pass', () => {
  test.each<[string, Fault]>([
    ['cut before the first byte', { cut: 0 }],
    ['cut in the middle', { cut: 100 }],
    ['too few bytes, with the length of those', { longer: -10, chunked: true }],
    ['503', { status: 503 }],
    ['429 with Retry-After', { status: 429, headers: { 'retry-after': '0' } }],
    ['408', { status: 408 }],
    ['a part of the range', { atMost: 10 }],
    ['no answer', { stall: -1 }],
    ['a stall in the middle', { stall: 100 }],
  ])('%s', async (_, fault) => {
    faults(fault, undefined, fault);
    const source = await open({}, { timeout: 1500 });
    expectBytes(await source.read(BYTES.length - 1000, 1000), -1000, BYTES.length);
    expectBytes(await source.read(1000, 2000), 1000, 3000);
  });

  test('a read goes on where it stopped', async () => {
    faults(undefined, { cut: 100_000 });
    const source = await open();
    expectBytes(await source.read(0, 250_000), 0, 250_000);
    const [, first, second] = server.log;
    expect(first.range).toBe('bytes=0-249999');
    expect(Number(/^bytes=(\d+)-249999$/.exec(second.range ?? '')?.[1])).toBeGreaterThan(0);
    expect(second.ifRange).toBe('"1"');
  });

  test('attempts with progress do not count', async () => {
    server.fault = (_, number) => (number === 0 ? undefined : { cut: 40_000 });
    const source = await open({}, { retries: 1 });
    expectBytes(await source.read(0, 250_000), 0, 250_000);
  });

  test('a redirect is followed once, and again when where it leads is refused', async () => {
    server.redirects.set('/latest', '/signed-1');
    server.files.set('/signed-1', { bytes: BYTES, etag: '"1"' });
    const source = await httpSource(`${server.origin}/latest`, { ...FAST, headers: { authorization: 'x' } });
    await source.read(0, 10);
    // A connection that the server has closed meanwhile is tried again.
    const paths = server.log.map(({ path }) => path);
    expect(paths.slice(paths.lastIndexOf('/latest'))).toEqual(['/latest', '/signed-1', '/signed-1']);
    server.redirects.set('/latest', '/signed-2');
    server.files.delete('/signed-1');
    server.files.set('/signed-2', { bytes: BYTES, etag: '"1"' });
    expectBytes(await source.read(20_000, 10), 20_000, 20_010);
  });

  test("the caller's headers are not sent to another origin", async () => {
    const other = await startFileServer([['/x', { bytes: BYTES }]]);
    server.redirects.set('/away', `${other.origin}/x`);
    const source = await httpSource(`${server.origin}/away`, { ...FAST, headers: { authorization: 'secret' } });
    await source.read(0, 10);
    expect(server.log.map(({ authorization }) => authorization)).toEqual(['secret']);
    expect(other.log.map(({ authorization }) => authorization)).toEqual([undefined, undefined]);
    await other.close();
  });
});

describe('failures that do not pass', () => {
  const where = () => expect.stringContaining(`${server.origin}/model.prune`);

  test.each<[string, Fault | Partial<ServedFile>, object]>([
    ['404', { status: 404 }, { code: 'missing', got: 'status 404' }],
    ['403', { status: 403 }, { code: 'io', got: 'status 403' }],
    ['always 503', { status: 503 }, { code: 'io', got: 'status 503' }],
    [
      'a long Retry-After',
      { status: 429, headers: { 'retry-after': '60' } },
      { what: expect.stringContaining('60 s') },
    ],
    ['always silent', { stall: -1 }, { code: 'io', what: expect.stringContaining('no byte') }],
    ['another range', { shift: 10 }, { code: 'corrupt' }],
    ['more bytes than the range, and a length', { longer: 10 }, { code: 'corrupt', got: 1010, wanted: 1000 }],
    ['fewer bytes than the range, and a length', { longer: -10 }, { code: 'corrupt', got: 990, wanted: 1000 }],
    ['a redirect to itself', { status: 302, headers: { location: '/model.prune' } }, { code: 'io' }],
  ])('at the opening: %s', async (_, fault, error) => {
    server.fault = () => fault as Fault;
    const started = performance.now();
    await expect(open({}, { retries: 1, timeout: 600 })).rejects.toMatchObject({ where: where(), ...error });
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test.each<[string, Fault, object]>([
    ['always cut', { cut: 0 }, { code: 'io' }],
    ['stalls', { stall: 100 }, { code: 'io', what: expect.stringContaining('no byte') }],
    ['another range', { shift: 10 }, { code: 'corrupt' }],
    ['more bytes than the range, in chunks', { longer: 10, chunked: true }, { code: 'corrupt' }],
    ['a page with status 200', { html: '<html>' }, { code: 'mismatch' }],
    ['412', { status: 412 }, { code: 'mismatch' }],
    ['416', { status: 416, headers: { 'content-range': 'bytes */5' } }, { code: 'mismatch', got: '5 bytes' }],
    ['404', { status: 404 }, { code: 'missing' }],
    ['a teapot', { status: 418 }, { code: 'io', got: 'status 418' }],
  ])('later: %s', async (_, fault, error) => {
    const source = await open({}, { retries: 1, timeout: 600 });
    server.fault = () => fault;
    const started = performance.now();
    await expect(source.read(5000, 500)).rejects.toMatchObject({ where: where(), ...error });
    expect(performance.now() - started).toBeLessThan(3000);
    // The source can be used when the server is well again.
    server.fault = () => undefined;
    expectBytes(await source.read(5000, 500), 5000, 5500);
  });

  test('nobody listens: io, with what Node says', async () => {
    const gone = await startFileServer([]);
    await gone.close();
    await expect(httpSource(`${gone.origin}/x`, { ...FAST, retries: 0 })).rejects.toMatchObject({
      code: 'io',
      what: expect.stringContaining('ECONNREFUSED'),
    });
  });

  const other = numberedBytes(BYTES.length, 1);
  test.each<[string, Partial<ServedFile>, Partial<ServedFile>]>([
    ['ETag', { etag: '"1"' }, { etag: '"2"', bytes: other }],
    ['weak ETag', { etag: 'W/"1"' }, { etag: 'W/"2"', bytes: other }],
    [
      'Last-Modified',
      { etag: undefined, lastModified: 'Mon, 01 Jan 2024 00:00:00 GMT' },
      { etag: undefined, lastModified: 'Tue, 02 Jan 2024 00:00:00 GMT', bytes: other },
    ],
    ['size alone', { etag: undefined }, { etag: undefined, bytes: other.subarray(1) }],
    ['ETag, by a server that has no ranges any more', { etag: '"1"' }, { etag: '"2"', bytes: other, ranges: false }],
  ])('a file that changes in between is noticed by its %s', async (_, before, after) => {
    const source = await open(before);
    await source.read(0, 100);
    server.files.set('/model.prune', { bytes: BYTES, ...after });
    await expect(source.read(5000, 500)).rejects.toMatchObject({ code: 'mismatch', where: where() });
    // What was read before is of one version still.
    expectBytes(await source.read(0, 100), 0, 100);
  });

  test('a file that changes while it is read', async () => {
    server.fault = (_, number) => {
      if (number === 2) server.files.set('/model.prune', { bytes: other, etag: '"2"' });
      return number === 1 ? { cut: 100_000 } : undefined;
    };
    const source = await open();
    await expect(source.read(0, 200_000)).rejects.toMatchObject({ code: 'mismatch' });
  });
});

describe('abort and close', () => {
  test('before, during the opening, and later', async () => {
    await expect(open({}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
    server.fault = () => ({ stall: -1 });
    await expect(open({}, { signal: AbortSignal.timeout(50), timeout: 20_000 })).rejects.toMatchObject({
      code: 'aborted',
    });
    server.fault = () => undefined;
    const controller = new AbortController();
    const source = await open({}, { signal: controller.signal });
    server.fault = () => ({ stall: 10 });
    const read = source.read(0, 100);
    setTimeout(() => controller.abort(), 50);
    await expect(read).rejects.toMatchObject({ code: 'aborted' });
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'aborted' });
    expect(getEventListeners(controller.signal, 'abort').length).toBe(0);
  });

  test('one of two readers stops: the other gets its bytes', async () => {
    const started = performance.now();
    const source = await open({}, { timeout: 60_000 });
    server.fault = () => ({ stall: 100 });
    const controller = new AbortController();
    const [stopped, kept] = [source.readRanges([[0, 500]], controller.signal), source.read(0, 50)];
    setTimeout(() => controller.abort(), 50);
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    expectBytes(await kept, 0, 50);
    // What had arrived is kept, and the rest can be read later.
    server.fault = () => undefined;
    expectBytes(await source.read(0, 500), 0, 500);
    expect(server.log.at(-1)?.range).toBe('bytes=100-499');
    // The request that nobody needed any more was ended, not waited for.
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(getEventListeners(controller.signal, 'abort').length).toBe(0);
  });

  test('close ends what is under way', async () => {
    const source = await open();
    server.fault = () => ({ stall: 10 });
    const read = source.read(0, 100);
    setTimeout(() => source.close(), 50);
    await expect(read).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'invalid-argument' });
    await source.close();
  });
});
