import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Elementary, scalar, tensor, writeStore } from '@prune/core';
import { goldenPath, SKIP_CONDITIONS, testPython } from '@prune/fixtures';
import * as node from 'h5wasm/node';
import { expect, test } from 'vitest';
import { createH5File, openH5File } from './node.js';

const script = fileURLToPath(new URL('../test/notebook-load.py', import.meta.url));
const noPython = SKIP_CONDITIONS['no-python-h5py']();

const load = (path: string) => execFileSync(testPython(), [script, path], { encoding: 'utf8', maxBuffer: 2 ** 26 });

test.skipIf(noPython)('the notebook reads from our file what it reads from its own', async () => {
  for (const name of ['tiny/squad_sparse_with_embs', 'narrow/squad_sparse_with_embs', 'base/squad_sparse']) {
    await withFolder(async (folder) => {
      const golden = await openH5File(node, goldenPath(`${name}.h5`));
      async function* entries() {
        for (const key of golden.keys()) yield [key, (await golden.get(key))!] as [string, Elementary];
      }
      const path = join(folder, 'model.h5');
      await writeStore(await createH5File(path), entries(), golden.metadata);
      await golden.close();
      expect(load(path)).toBe(load(goldenPath(`${name}.h5`)));
    });
  }
});

test.skipIf(noPython)('Python reads empty datasets, every dtype, many chunks and odd names', async () => {
  await withFolder(async (folder) => {
    const entries = new Map<string, Elementary>([
      ['empty', tensor('int8', [0], new Int8Array())],
      ['flags', tensor('bool', [3], Uint8Array.of(1, 0, 1))],
      ['half', tensor('float16', [2], Uint16Array.of(0x3c00, 0xc000))],
      ['scale', scalar('float64', 0.25)],
      ['text', 'zwölf'],
      ['wide', tensor('uint16', [37, 5], new Uint16Array(185).fill(7))],
      [
        'ключ.weight',
        tensor(
          'int32',
          [100],
          new Int32Array(100).map((_, i) => i * i),
        ),
      ],
    ]);
    const path = join(folder, 'model.h5');
    await writeStore(await createH5File(path, { chunkBytes: 64 }), entries, {});
    const lines = load(path)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).slice(0, 4).join(' '));
    expect(lines.sort()).toEqual([
      'empty dataset int8 0',
      'flags dataset bool 3',
      'half dataset float16 2',
      'scale attribute float64 ',
      'text attribute str ',
      'wide dataset uint16 37,5',
      'ключ.weight dataset int32 100',
    ]);
  });
});

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'prune-h5-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
