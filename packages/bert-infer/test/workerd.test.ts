import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memorySink, writeStore } from '@prune/core';
import { findWorkerd, SKIP_CONDITIONS } from '@prune/fixtures';
import { codecList, createMsgpackStore } from '@prune/msgpack-store';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../src/model/load-model.js';
import { answer } from '../src/qa/answer.js';
import { type GoldenModel, goldenModel, madeUpVocabulary } from './golden-model.js';
import { miniQa } from './mini-qa.js';

const skipped = SKIP_CONDITIONS['no-workerd']() || SKIP_CONDITIONS['not-built']();

const TEXTS = {
  question: 'What became popular during the 1920s?',
  context: 'Garden apartments became popular during the 1920s in outlying areas, such as Jackson Heights.',
  nBest: 5,
};

/** What Cloudflare gives an isolate. */
const MEMORY_LIMIT = 128 * 1024 * 1024;

/** The worker. A request's path says which model answers, on which engine; models stay for the next request. */
const WORKER = `
import { answer, loadModel } from '@prune/bert-infer';
import relaxed from '@prune/kernels/wasm/relaxed.wasm';
import simd from '@prune/kernels/wasm/simd.wasm';
import { openMsgpackStore } from '@prune/msgpack-store';
import miniQa from 'mini-qa.prune';
import tiny from 'tiny.prune';

const MODELS = {
  '/modules': [miniQa, { modules: { 'wasm-relaxed': relaxed, 'wasm-simd': simd }, threads: 2 }],
  '/simd': [tiny, { modules: { 'wasm-simd': simd } }],
  '/nothing': [tiny, {}],
};
const loading = {};

async function load([bytes, engine]) {
  return loadModel(await openMsgpackStore(new Uint8Array(bytes)), { engine });
}

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    loading[pathname] ??= load(MODELS[pathname]);
    const model = await loading[pathname];
    const { kernels, kernelsNote, threads, threadsNote } = model.info;
    const found = await answer(model, await request.json());
    return Response.json({ found, how: { kernels, kernelsNote, threads, threadsNote } });
  },
};
`;

/** The kind of each module as Cloudflare's tools choose it by its name: `CompiledWasm` and `Data`. */
const CONFIG = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = (
    modules = [
      (name = "worker.js", esModule = embed "worker.js"),
      (name = "relaxed.wasm", wasm = embed "relaxed.wasm"),
      (name = "simd.wasm", wasm = embed "simd.wasm"),
      (name = "mini-qa.prune", data = embed "mini-qa.prune"),
      (name = "tiny.prune", data = embed "tiny.prune"),
    ],
    compatibilityDate = "2026-01-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "worker")],
);
`;

/** A model's bytes, and what Node answers with it. */
async function packed(entries: GoldenModel): Promise<{ bytes: Uint8Array; found: unknown }> {
  const sink = memorySink();
  const codecs = codecList('csr-gzip', { level: 1 });
  await writeStore(await createMsgpackStore(sink, { codecs }), entries, entries.metadata);
  const model = await loadModel(entries);
  const found = JSON.parse(JSON.stringify(await answer(model, TEXTS)));
  await model.close();
  return { bytes: sink.bytes(), found };
}

describe.skipIf(skipped)('the built packages and a packed mini-qa in workerd', () => {
  let folder: string;
  let workerd: ChildProcess;
  let origin: string;
  const found: Record<string, unknown> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'prune-workerd-'));
    const models = {
      // Tables of int8 stay as they are in memory; those of float32 alone would take 48 MB.
      'mini-qa': await miniQa('int8'),
      tiny: goldenModel('tiny', { files: madeUpVocabulary(997) }),
    };
    for (const [name, entries] of Object.entries(models)) {
      const { bytes, found: answers } = await packed(entries);
      writeFileSync(join(folder, `${name}.prune`), bytes);
      found[name] = answers;
    }
    const resolveDir = fileURLToPath(new URL('..', import.meta.url));
    const { resolve } = createRequire(join(resolveDir, 'package.json'));
    await build({
      stdin: { contents: WORKER, resolveDir, loader: 'js' },
      bundle: true,
      outfile: join(folder, 'worker.js'),
      format: 'esm',
      logLevel: 'silent',
      // An empty one, or esbuild would read ours, whose paths lead to the sources.
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

  test('compiled modules: the answers and scores of Node, to the last bit, within the memory of an isolate', async () => {
    const before = memoryOf(workerd.pid!, 'VmRSS');
    const wanted = {
      found: found['mini-qa'],
      how: { kernels: 'wasm-relaxed', threads: 1, threadsNote: expect.stringContaining('relaxed-threads.wasm') },
    };
    // The second request waits for the model that the first one loads.
    expect(await Promise.all([ask('/modules'), ask('/modules')])).toEqual([wanted, wanted]);
    expect(await ask('/modules')).toEqual(wanted);
    const taken = memoryOf(workerd.pid!, 'VmHWM') - before;
    if (process.env.PRUNE_REPORT) console.log(`workerd took ${(taken / 1e6).toFixed(0)} MB for mini-qa`);
    expect(taken).toBeLessThan(MEMORY_LIMIT);
  });

  test('the module for engines without relaxed SIMD', async () => {
    expect(await ask('/simd')).toEqual({
      found: found.tiny,
      how: { kernels: 'wasm-simd', kernelsNote: expect.stringContaining('no wasm-relaxed'), threads: 1 },
    });
  });

  test('without modules: the same answers by the reference, which says what to hand in', async () => {
    expect(await ask('/nothing')).toEqual({
      found: found.tiny,
      how: { kernels: 'reference', kernelsNote: expect.stringMatching(/`modules` in an edge runtime/), threads: 1 },
    });
  });
});

/** The memory of a process, or the most that it had so far, in bytes; 0 where there is no /proc. */
function memoryOf(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  try {
    return 1024 * Number(new RegExp(`${field}:\\s*(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
