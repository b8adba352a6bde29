import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { expect, test, vi } from 'vitest';
import { engineOn } from '../src/create-engine.js';
import { createEngine, type Engine } from '../src/index.js';
import { workerThreads } from '../src/node.js';
import { selectKernels } from '../src/wasm/select-kernels.js';
import { normals, random, randomLayers } from './random-encoder.js';

const spec = (count = 1) => ({
  layers: randomLayers(random(1), count, 16, 32, { density: 0.5 }),
  heads: 2,
  activation: 'gelu' as const,
  layerNormEps: 1e-12,
  profile: 'fbgemm' as const,
});

test('an encoder of no layer starts and ends', async () => {
  const engine = await createEngine({ threads: 2, threadHost: workerThreads });
  const encoder = await engine.loadEncoder(spec(0));
  expect((await encoder.forward(new Float32Array(0), [])).last).toEqual(new Float32Array(0));
  await engine.close();
  await engine.close();
});

test('many passes, closed twice, refused afterwards', async () => {
  const engine = await createEngine({ threads: 2, threadHost: workerThreads });
  expect(engine.threads).toBe(2);
  const encoder = await engine.loadEncoder(spec(2));
  const input = normals(random(2), 40 * 16);
  const { last } = await encoder.forward(input, [40]);
  for (let pass = 0; pass < 50; pass++) expect((await encoder.forward(input, [40])).last).toEqual(last);
  encoder.close();
  encoder.close();
  await expect(encoder.forward(input, [40])).rejects.toMatchObject({ code: 'invalid-argument' });
  await engine.close();
});

test.each([
  ['', {}],
  [', divided', { jobMs: 0 }],
])('what is not finite is refused by all threads, and the next pass is right%s', async (_, tuning) => {
  const engine = await engineOn(await selectKernels('auto'), 3, workerThreads, tuning);
  const norm = { weight: new Float32Array(16).fill(1), bias: new Float32Array(16) };
  const encoder = await engine.loadEncoder({ ...spec(2), inputNorm: norm });
  const input = normals(random(2), 70 * 16);
  const { last } = await encoder.forward(input, [70]);
  const bad = (at: number, value: number) => {
    const copy = input.slice();
    copy[at] = value;
    return copy;
  };
  const refused = expect.objectContaining({ code: 'not-finite', message: expect.stringContaining('given') });
  for (let pass = 0; pass < 30; pass++) {
    await expect(encoder.forward(bad(pass * 37, Number.NaN), [70])).rejects.toEqual(refused);
    await expect(
      encoder.forward(bad(pass * 37, Number.NEGATIVE_INFINITY), [70], { hiddenStates: true }),
    ).rejects.toEqual(refused);
    expect((await encoder.forward(input, [70])).last).toEqual(last);
  }
  const huge = { weight: new Float32Array(16).fill(3e38), bias: new Float32Array(16) };
  const layers = spec(2).layers.map((layer) => ({ ...layer, outputNorm: huge }));
  const overflowing = await engine.loadEncoder({ ...spec(2), layers });
  for (let pass = 0; pass < 10; pass++) {
    await expect(overflowing.forward(input, [70])).rejects.toEqual(
      expect.objectContaining({ code: 'not-finite', what: 'activations of layer 0 to 1' }),
    );
  }
  for (const place of [0, 1]) {
    const one = spec(2).layers.map((layer, index) => (index === place ? layers[index] : layer));
    const overflows = await engine.loadEncoder({ ...spec(2), layers: one });
    await expect(overflows.forward(input, [70], { hiddenStates: true })).rejects.toMatchObject({
      code: 'not-finite',
      what: `activations of layer ${place}`,
    });
  }
  await engine.close();
});

test('options that make no engine', async () => {
  const code = async (run: () => Promise<Engine>) =>
    run().then(
      () => 'made',
      (error) => error.code,
    );
  expect(await code(() => createEngine({ threads: 0 }))).toBe('invalid-argument');
  expect(await code(() => createEngine({ threads: 1.5 }))).toBe('invalid-argument');
  expect(await code(() => createEngine({ kernels: 'gpu' as 'auto' }))).toBe('invalid-argument');
});

test('fewer threads than asked for: one sentence says why', async () => {
  expect(await createEngine({ threads: 2, kernels: 'reference' })).toMatchObject({
    threads: 1,
    threadsWanted: 2,
    threadsNote: 'The reference kernels compute on one thread.',
  });
  const one = await createEngine({ kernels: 'reference' });
  expect([one.threads, one.threadsWanted, one.threadsNote]).toEqual([1, 1, undefined]);
  vi.stubGlobal('SharedArrayBuffer', undefined);
  try {
    const { threads, threadsNote } = await createEngine({ threads: 2, threadHost: workerThreads });
    expect([threads, threadsNote]).toEqual([1, expect.stringContaining('cross-origin isolated')]);
  } finally {
    vi.unstubAllGlobals();
  }
});

test('without a host, Node has threads where it gives its modules without an import', async () => {
  const engine = await createEngine({ threads: 2 });
  const given = 'getBuiltinModule' in process;
  expect([engine.threads, engine.threadsNote === undefined]).toEqual(given ? [2, true] : [1, false]);
  const encoder = await engine.loadEncoder(spec(2));
  const before = encoder.memoryBytes!;
  expect((await encoder.forward(normals(random(2), 4000 * 16), [4000])).last).toHaveLength(4000 * 16);
  expect(encoder.memoryBytes).toBeGreaterThan(before);
  await engine.close();
  expect(encoder.memoryBytes).toBe(0);
});

test('a process that closes nothing ends by itself', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'prune-threads-'));
  try {
    const outfile = join(folder, 'main.mjs');
    const source = `
      import { createEngine } from './index.ts';
      import { workerThreads } from './node.ts';
      const engine = await createEngine({ threads: 2, threadHost: workerThreads });
      const norm = { weight: new Float32Array(4).fill(1), bias: new Float32Array(4) };
      const linear = { kind: 'float', weight: new Float32Array(16).fill(0.1), shape: [4, 4], bias: null };
      const layer = { query: linear, key: linear, value: linear, attentionOutput: linear, intermediate: linear, output: linear,
        attentionNorm: norm, outputNorm: norm };
      const encoder = await engine.loadEncoder({ layers: [layer], heads: 1, activation: 'gelu', layerNormEps: 1e-12, profile: 'fbgemm' });
      const { last } = await encoder.forward(new Float32Array(8).fill(1), [2]);
      console.log(engine.threads, last.length);
    `;
    const root = new URL('../src/', import.meta.url);
    await build({
      stdin: { contents: source, resolveDir: new URL('.', root).pathname, loader: 'ts' },
      bundle: true,
      format: 'esm',
      platform: 'node',
      outfile,
      logLevel: 'error',
      // Its paths lead to the sources of the other packages.
      tsconfig: new URL('../../../tsconfig.json', root).pathname,
    });
    writeFileSync(join(folder, 'package.json'), '{}');
    const { stdout, stderr, status } = spawnSync(process.execPath, [pathToFileURL(outfile).pathname], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect({ stdout, stderr, status }).toEqual({ stdout: '2 8\n', stderr: '', status: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
