import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memorySink, writeStore } from '@prune/core';
import { findWorkerd, SKIP_CONDITIONS } from '@prune/fixtures';
import { createMsgpackStore } from '@prune/msgpack-store';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../src/model/load-model.js';
import { answer } from '../src/qa/answer.js';
import { miniQa } from './mini-qa.js';

const skipped = SKIP_CONDITIONS['no-workerd']() || SKIP_CONDITIONS['not-built']();

const TEXTS = {
  question: 'What became popular during the 1920s?',
  context: 'Garden apartments became popular during the 1920s in outlying areas, such as Jackson Heights.',
  nBest: 5,
};

/** What Cloudflare gives an isolate. */
const MEMORY_LIMIT = 128 * 1024 * 1024;

/** The worker. A request says in its path which modules the engine gets. */
const WORKER = `
import { answer, loadModel } from '@prune/bert-infer';
import relaxed from '@prune/kernels/wasm/relaxed.wasm';
import simd from '@prune/kernels/wasm/simd.wasm';
import { openMsgpackStore } from '@prune/msgpack-store';
import bytes from 'mini-qa.prune';

const ENGINES = {
  '/modules': { modules: { 'wasm-relaxed': relaxed, 'wasm-simd': simd }, threads: 2 },
  '/simd': { modules: { 'wasm-simd': simd } },
  '/nothing': {},
};

export default {
  async fetch(request) {
    const store = await openMsgpackStore(new Uint8Array(bytes));
    const model = await loadModel(store, { engine: ENGINES[new URL(request.url).pathname] });
    const { kernels, kernelsNote, threads, threadsNote } = model.info;
    const found = await answer(model, await request.json());
    await model.close();
    return Response.json({ found, kernels, kernelsNote, threads, threadsNote });
  },
};
`;

/** The kind of each module as Cloudflare's tools choose it by its name: \`CompiledWasm\` and \`Data\`. */
const CONFIG = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = (
    modules = [
      (name = "worker.js", esModule = embed "worker.js"),
      (name = "relaxed.wasm", wasm = embed "relaxed.wasm"),
      (name = "simd.wasm", wasm = embed "simd.wasm"),
      (name = "mini-qa.prune", data = embed "mini-qa.prune"),
    ],
    compatibilityDate = "2026-01-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
`;

describe.skipIf(skipped)('the built packages and a packed mini-qa in workerd', () => {
  let folder: string;
  let workerd: ChildProcess;
  let origin: string;
  let expected: unknown;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'prune-workerd-'));
    const entries = await miniQa();
    const sink = memorySink();
    await writeStore(await createMsgpackStore(sink), entries, entries.metadata);
    const resolveDir = fileURLToPath(new URL('..', import.meta.url));
    const { resolve } = createRequire(join(resolveDir, 'package.json'));
    await build({
      stdin: { contents: WORKER, resolveDir, loader: 'js' },
      bundle: true,
      outfile: join(folder, 'worker.js'),
      format: 'esm',
      logLevel: 'silent',
      tsconfigRaw: {},
      plugins: [
        {
          // As wrangler does: the file becomes a module of its own, and the worker imports it.
          name: 'modules',
          setup({ onResolve }) {
            onResolve({ filter: /\.prune$/ }, ({ path }) => ({ path, external: true }));
            onResolve({ filter: /\.wasm$/ }, ({ path }) => {
              copyFileSync(resolve(path), join(folder, basename(path)));
              return { path: basename(path), external: true };
            });
          },
        },
      ],
    });
    writeFileSync(join(folder, 'mini-qa.prune'), sink.bytes());
    writeFileSync(join(folder, 'config.capnp'), CONFIG);
    workerd = spawn(findWorkerd()!, ['serve', 'config.capnp', '--control-fd=3'], {
      cwd: folder,
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    origin = await new Promise((resolve, reject) => {
      // The first line that workerd writes there says where it listens.
      workerd.stdio[3]!.once('data', (line) => resolve(`http://127.0.0.1:${JSON.parse(String(line)).port}`));
      workerd.once('exit', (status) => reject(new Error(`workerd ended with status ${status}`)));
    });

    const model = await loadModel(entries);
    expected = await answer(model, TEXTS);
    await model.close();
  });

  afterAll(() => {
    workerd?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = async (path: string) => {
    const response = await fetch(`${origin}${path}`, { method: 'POST', body: JSON.stringify(TEXTS) });
    expect(response.status).toBe(200);
    return response.json();
  };

  test('with compiled modules: the answers of Node, bit for bit, within the memory of an isolate', async () => {
    const before = memoryOf(workerd.pid!);
    const { found, ...how } = await ask('/modules');
    // A score is written with as many digits as tell it from every other number.
    expect(found).toEqual(JSON.parse(JSON.stringify(expected)));
    expect(how).toEqual({ kernels: 'wasm-relaxed', threads: 1, threadsNote: expect.stringContaining('threads') });
    const taken = memoryOf(workerd.pid!) - before;
    console.log(before, taken);
    expect(taken).toBeLessThan(MEMORY_LIMIT);
    expect(await ask('/simd')).toMatchObject({ found, kernels: 'wasm-simd' });
  });

  test('without modules: the same answers by the reference, which says what to hand in', async () => {
    expect(await ask('/nothing')).toEqual({
      found: JSON.parse(JSON.stringify(expected)),
      kernels: 'reference',
      kernelsNote: expect.stringMatching(/edge runtime.*`modules`|`modules`.*edge runtime/),
      threads: 1,
    });
  });
});

/** The most memory that a process had so far, in bytes; 0 where there is no /proc. */
function memoryOf(pid: number): number {
  try {
    return 1024 * Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
