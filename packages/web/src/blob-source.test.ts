import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { numberedBytes } from '../test/numbered-bytes.js';
import { type BlobLike, blobSource } from './blob-source.js';

const BYTES = numberedBytes(5000);

test('an empty blob', async () => {
  const source = blobSource(new Blob([]));
  expect(source).toMatchObject({ size: 0, name: 'blob' });
  expect(await source.read(0, 0)).toEqual(new Uint8Array(0));
  await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'truncated', where: 'blob' });
});

test('reads and ranges', async () => {
  const source = blobSource(new Blob([BYTES]));
  expect(await source.read(17, 100)).toEqual(BYTES.slice(17, 117));
  const ranges = [
    [0, 10],
    [4990, 5000],
  ] as const;
  expect(await source.readRanges(ranges)).toEqual(ranges.map(([start, end]) => BYTES.slice(start, end)));
  await expect(source.readRanges(ranges, AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
});

test('a file that changed after it was chosen: io', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'prune-blob-'));
  const path = join(folder, 'model.prune');
  await writeFile(path, BYTES);
  const source = blobSource(await openAsBlob(path));
  expect(await source.read(1, 3)).toEqual(BYTES.slice(1, 4));
  await writeFile(path, BYTES.subarray(1));
  await expect(source.read(1, 3)).rejects.toMatchObject({ code: 'io', what: expect.stringContaining('has changed') });
  await rm(folder, { recursive: true });
});

test('a slice that is shorter than asked for: io', async () => {
  const short: BlobLike = { size: 10, name: 'x', slice: () => ({ arrayBuffer: async () => new ArrayBuffer(3) }) };
  await expect(blobSource(short).read(0, 4)).rejects.toMatchObject({ code: 'io', where: 'x', got: 3, wanted: 4 });
});

test.each([
  ['a path', 'model.prune'],
  ['bytes', new Uint8Array(3)],
  ['nothing', undefined],
])('what is not a blob: %s', (_, given) => {
  expect(() => blobSource(given as unknown as Blob)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});
