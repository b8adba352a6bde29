import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Elementary, entriesOf, scalar, tensor, writeStore } from '@prune/core';
import { goldenPath, SKIP_CONDITIONS, testPython } from '@prune/fixtures';
import * as node from 'h5wasm/node';
import { expect, test } from 'vitest';
import { createH5File, openH5File } from './node.js';

const script = (name: string) => fileURLToPath(new URL(`../test/${name}`, import.meta.url));
const noPython = SKIP_CONDITIONS['no-python-h5py']();

const load = (path: string) =>
  execFileSync(testPython(), [script('notebook-load.py'), path], { encoding: 'utf8', maxBuffer: 2 ** 26 });

/** Writes what is in one file to another. */
async function copy(from: string, to: string): Promise<void> {
  const source = await openH5File(node, from);
  await writeStore(await createH5File(to), entriesOf(source), source.metadata);
  await source.close();
}

test.skipIf(noPython)('the notebook reads from our file what it reads from its own', async () => {
  for (const name of ['tiny/squad_sparse_with_embs', 'narrow/squad_sparse_with_embs', 'base/squad_sparse']) {
    await withFolder(async (folder) => {
      const path = join(folder, 'model.h5');
      await copy(goldenPath(`${name}.h5`), path);
      expect(load(path)).toBe(load(goldenPath(`${name}.h5`)));
    });
  }
});

test.skipIf(noPython)('matrices with one nonzero are attributes and datasets where the notebook has them', async () => {
  await withFolder(async (folder) => {
    const [notebook, ours] = [join(folder, 'notebook.h5'), join(folder, 'ours.h5')];
    execFileSync(testPython(), [script('notebook-save.py'), notebook]);
    await copy(notebook, ours);
    expect(load(ours)).toBe(load(notebook));
    expect(load(ours)).toContain('["one-cell._packed_params.weight.int_repr.data", "dataset", "int8", [1], ');
    expect(load(ours)).toContain('["one-cell._packed_params.bias", "attribute", "float32", [1], ');
  });
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
