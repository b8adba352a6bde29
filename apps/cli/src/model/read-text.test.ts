import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { SKIP_CONDITIONS } from '@prune/fixtures';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { DEFAULT_MAX_TEXT_SIZE, readText } from './read-text.js';

const MIB = 2 ** 20;
let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-text-'));
  writeFileSync(at('empty.txt'), '');
  writeFileSync(at('full.txt'), 'a'.repeat(MIB));
  writeFileSync(at('large.txt'), 'a'.repeat(1.5 * MIB));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Standard input that gives these pieces. */
function withStandardInput(pieces: Iterable<Uint8Array>) {
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(
    Readable.from(pieces, { objectMode: false }) as typeof process.stdin,
  );
}

function tooLarge(where: string, got: string, wanted: string) {
  return { code: 'limit', where, what: 'the text is too large', got, wanted };
}

test('a file that is empty, and one as large as it may be', async () => {
  expect(await readText(at('empty.txt'), { maxTextSize: 1 })).toBe('');
  expect(await readText(at('full.txt'), { maxTextSize: 1 })).toHaveLength(MIB);
});

test('a larger file names its size and the flag', async () => {
  await expect(readText(at('large.txt'), { maxTextSize: 1 })).rejects.toMatchObject(
    tooLarge(at('large.txt'), '1.5 MiB', 'at most 1 MiB, or a larger --max-text-size'),
  );
  expect(await readText(at('large.txt'), { maxTextSize: 2 })).toHaveLength(1.5 * MIB);
});

test('without a flag the limit is the default, and no flag is named', async () => {
  const file = await open(at('sparse.txt'), 'w');
  await file.truncate(DEFAULT_MAX_TEXT_SIZE * MIB + 1);
  await file.close();
  await expect(readText(at('sparse.txt'))).rejects.toMatchObject(
    tooLarge(at('sparse.txt'), '64.0 MiB', 'at most 64 MiB'),
  );
});

test('standard input is read no further than the limit', async () => {
  let given = 0;
  function* endless() {
    for (; given < 100; given++) yield new Uint8Array(MIB / 4).fill(97);
  }
  withStandardInput(endless());
  await expect(readText('-', { maxTextSize: 1 })).rejects.toMatchObject(
    tooLarge('-', 'more than 1 MiB', 'at most 1 MiB, or a larger --max-text-size'),
  );
  expect(given).toBeLessThan(20);
  withStandardInput([new Uint8Array(3).fill(97), new Uint8Array(2).fill(98)]);
  expect(await readText('-', { maxTextSize: 1 })).toBe('aaabb');
});

describe.skipIf(SKIP_CONDITIONS.windows())('a pipe', () => {
  test('is read no further than the limit', async () => {
    spawnSync('mkfifo', [at('fifo')]);
    const read = readText(at('fifo'), { maxTextSize: 1 });
    const writer = await open(at('fifo'), 'w');
    const written = writer.write('a'.repeat(1.5 * MIB)).catch(() => {});
    await expect(read).rejects.toMatchObject(
      tooLarge(at('fifo'), 'more than 1 MiB', 'at most 1 MiB, or a larger --max-text-size'),
    );
    await written;
    await writer.close();
  });
});

test('what is not UTF-8, and a signal', async () => {
  writeFileSync(at('latin1.txt'), Uint8Array.of(0x63, 0xe9));
  await expect(readText(at('latin1.txt'))).rejects.toMatchObject({ code: 'corrupt', where: at('latin1.txt') });
  const controller = new AbortController();
  const idle = new Readable({ read() {} });
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(idle as typeof process.stdin);
  const reading = readText('-', { signal: controller.signal });
  controller.abort();
  await expect(reading).rejects.toMatchObject({ code: 'aborted' });
});
