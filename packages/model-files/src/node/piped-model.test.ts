import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '@prune/core';
import { fileSource, openSource } from '@prune/core/node';
import { goldenPath, runInChild, SKIP_CONDITIONS } from '@prune/fixtures';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openModel, openStore } from './open-model.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-source-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('an empty file, a file, and what is not there', async () => {
  const path = join(folder, 'a');
  writeFileSync(path, '');
  const empty = await openSource(path);
  expect(empty).toMatchObject({ name: 'a', size: 0 });
  await empty.close();
  writeFileSync(path, 'hello');
  const source = await openSource(path, { limits: { ...DEFAULT_LIMITS, streamBytes: 1 } });
  expect(new TextDecoder().decode(await source.read(1, 3))).toBe('ell');
  await source.close();
  await expect(openSource(join(folder, 'b'))).rejects.toMatchObject({ code: 'missing' });
  await expect(openSource(join(path, 'b'))).rejects.toMatchObject({ code: 'io' });
  await expect(openSource(folder)).rejects.toMatchObject({ code: 'io', what: 'not a regular file' });
});

describe.skipIf(SKIP_CONDITIONS.windows())('a pipe', () => {
  /** A pipe with a name, and what writes `pieces` into it. */
  function pipeOf(pieces: readonly Uint8Array[]): string {
    const path = join(folder, `pipe-${pieces.length}`);
    execFileSync('mkfifo', [path]);
    const stream = createWriteStream(path);
    // A reader that has had enough closes the pipe.
    stream.on('error', () => {});
    for (const piece of pieces) stream.write(piece);
    stream.end();
    return path;
  }

  test.each([
    ['nothing', []],
    ['single bytes', Array.from({ length: 100 }, (_, i) => Uint8Array.of(i))],
    ['more than two pieces of a MiB', Array.from({ length: 7 }, (_, i) => new Uint8Array(333_333).fill(i))],
    ['two pieces of a MiB', Array.from({ length: 2 }, (_, i) => new Uint8Array(2 ** 20).fill(i + 1))],
  ])('of %s is read by position', async (_, pieces) => {
    const wanted = Buffer.concat(pieces);
    const source = await openSource(pipeOf(pieces));
    expect(source.size).toBe(wanted.length);
    const scratch = new Uint8Array(wanted.length + 3);
    for (const [offset, length] of [
      [0, wanted.length],
      [0, 1],
      [wanted.length >> 1, wanted.length >> 2],
      [2 ** 20 - 2, 5],
      [2 ** 20, 1],
    ].filter(([offset, length]) => offset + length <= wanted.length)) {
      const part = wanted.subarray(offset, offset + length);
      expect(Buffer.compare(await source.read(offset, length), part)).toBe(0);
      expect(Buffer.compare(await source.read(offset, length, scratch), part)).toBe(0);
    }
    await source.close();
  });

  test('of more bytes than the limit is refused, of as many is not', async () => {
    const pieces = [new Uint8Array(100_000), new Uint8Array(1)];
    const limits = { ...DEFAULT_LIMITS, streamBytes: 100_000 };
    const path = pipeOf(pieces);
    await expect(openSource(path, { limits })).rejects.toMatchObject({ code: 'limit', where: path });
    expect(await openSource(pipeOf(pieces.slice(1)), { limits })).toMatchObject({ size: 1 });
  });

  test('is left when the caller aborts', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    // Opens the pipe and writes nothing.
    const holder = spawn('bash', ['-c', 'exec sleep 60 > "$0"', path]);
    try {
      const controller = new AbortController();
      const opening = openSource(path, { signal: controller.signal });
      setTimeout(() => controller.abort(), 200);
      await expect(opening).rejects.toMatchObject({ code: 'aborted' });
    } finally {
      holder.kill();
    }
  });

  test('holds a model of any form', async () => {
    for (const file of ['tiny/model.safetensors', 'tiny/squad_sparse.h5', 'tiny/pytorch_model.bin']) {
      const bytes = readFileSync(goldenPath(file));
      const model = await openModel(pipeOf([bytes.subarray(0, 5), bytes.subarray(5)]));
      const names = [...(await model.floats()).keys()];
      expect(names.length).toBeGreaterThan(30);
      expect(model.paths).toHaveLength(1);
      await model.close();
      rmSync(model.path);
    }
    const bytes = readFileSync(goldenPath('tiny/squad_sparse.h5'));
    const store = await openStore(pipeOf([bytes]));
    expect(store.fileBytes).toBe(bytes.length);
    await store.close();
  });

  test('is refused as a store when it holds something else, and is limited', async () => {
    await expect(openStore(pipeOf([new Uint8Array(9)]))).rejects.toMatchObject({ code: 'unsupported' });
    const limits = { ...DEFAULT_LIMITS, streamBytes: 1000 };
    const path = pipeOf([new Uint8Array(1000), new Uint8Array(1)]);
    await expect(openModel(path, { limits })).rejects.toMatchObject({ code: 'limit', where: path });
  });

  test('is refused where only a file will do, without waiting for its writer', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    await expect(fileSource(path)).rejects.toMatchObject({ code: 'io', what: 'not a regular file' });
  });

  test('without an end is a limit error that takes at most twice the limit of 32 MiB and 64 MB, in 5 seconds', async () => {
    const work = `
      import { DEFAULT_LIMITS } from '@prune/core';
      import { openSource } from '@prune/core/node';
      export default () => openSource('/dev/zero', { limits: { ...DEFAULT_LIMITS, streamBytes: 2 ** 25 } });`;
    const { error, seconds, peakBytes } = await runInChild(work);
    expect(error?.code).toBe('limit');
    expect(seconds).toBeLessThan(5);
    expect(peakBytes).toBeLessThan(2 * 2 ** 25 + 64e6);
  });
});
