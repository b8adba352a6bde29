import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { memorySink, writeStore } from '@prune/core';
import { findChromium, SKIP_CONDITIONS } from '@prune/fixtures';
import { codecList, createMsgpackStore } from '@prune/msgpack-store';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '../src/model/load-model.js';
import { answer } from '../src/qa/answer.js';
import { type GoldenModel, goldenModel, madeUpVocabulary } from './golden-model.js';
import { miniQa } from './mini-qa.js';

const skipped = SKIP_CONDITIONS['no-chromium']() || SKIP_CONDITIONS['not-built']();

const TEXTS = {
  question: 'What became popular during the 1920s?',
  context: 'Garden apartments became popular during the 1920s in outlying areas, such as Jackson Heights.',
};
const INPUTS = {
  input_ids: [
    [101, 2054, 2003, 1029, 102, 3000, 2003, 1996, 3007, 1012, 102],
    [101, 2073, 102, 2045, 102],
  ],
};

/** What both sides compute; this text runs in the page. */
const PAGE = `
import { answer, loadModel } from '@prune/bert-infer';
import { createEngine, WORKER_SOURCE, webWorkers } from '@prune/kernels';
import { openMsgpackStore } from '@prune/msgpack-store';

globalThis.run = async (threads, texts, inputs, wanted) => {
  const bytes = new Uint8Array(await (await fetch('/mini-qa.prune')).arrayBuffer());
  const engine = await createEngine({ threads, kernels: wanted });
  const model = await loadModel(await openMsgpackStore(bytes), { engine });
  const { start_logits, end_logits } = await model.logits(inputs, { head: 'question-answering' });
  const bits = [start_logits, end_logits].map(({ data }) => [...new Uint32Array(data.buffer)]);
  const found = await answer(model, { ...texts, nBest: 5 });
  await model.close();
  await engine.close();
  const { kernels, threads: used } = engine;
  return { bits, found, isolated: globalThis.crossOriginIsolated, kernels, used };
};

const open = async (engine, name = 'mini-qa') => {
  const bytes = new Uint8Array(await (await fetch('/' + name + '.prune')).arrayBuffer());
  return loadModel(await openMsgpackStore(bytes), { engine });
};
const codeOf = (call) => call().then(() => 'done', ({ code, message }) => code ?? message);

/** One answer of a small model, and what it runs on. The option \`workers\` says where workers come from. */
globalThis.ask = async ({ workers, compiled, ...options }, texts) => {
  const hosts = {
    file: () => webWorkers('/worker.js'),
    module: () => webWorkers(() => new Worker('/worker.js', { type: 'module' })),
    missing: () => webWorkers('/no-worker.js'),
  };
  const compile = async () => WebAssembly.compileStreaming(fetch('/simd-threads.wasm'));
  const engine = {
    ...options,
    ...(workers && { threadHost: hosts[workers]() }),
    ...(compiled && { modules: { 'wasm-simd': await compile() } }),
  };
  const model = await open(engine, 'tiny');
  const found = await answer(model, { ...texts, nBest: 5 });
  const { kernels, kernelsNote, threads, threadsNote } = model.info;
  await model.close();
  return { found, how: { kernels, kernelsNote, threads, threadsNote } };
};

globalThis.lose = async (inputs, program, knows) => {
  let starts = 0;
  let first;
  let end = Infinity;
  const threadHost = {
    async start(start) {
      const real = starts !== 0;
      const worker = new Worker(URL.createObjectURL(new Blob([real ? WORKER_SOURCE : program])));
      const ended = new Promise((resolve) => {
        worker.onerror = (event) => {
          event.preventDefault();
          resolve(event.message);
        };
      });
      await new Promise((resolve, reject) => {
        worker.onmessage = resolve;
        ended.then(reject);
        worker.postMessage(start);
      });
      starts++;
      first ??= worker;
      const isAlive = () => real || performance.now() < end;
      return { stop: async () => worker.terminate(), ...(knows ? { isAlive } : { ended }) };
    },
  };
  const engine = await createEngine({ threads: 3, threadHost });
  const model = await open(engine);
  const bitsOf = async () => {
    const { start_logits } = await model.logits(inputs, { head: 'question-answering' });
    return [...new Uint32Array(start_logits.data.buffer)];
  };
  first.postMessage('end');
  end = performance.now() + 100;
  const results = [await bitsOf().catch(({ code }) => code), await bitsOf()];
  while (starts < 4) await new Promise((resolve) => setTimeout(resolve, 10));
  results.push(await bitsOf());
  await engine.close();
  return results;
};

globalThis.many = async (inputs) => {
  const engine = await createEngine({ threads: 2 });
  const model = await open(engine);
  const ids = inputs.input_ids[0];
  const call = (_, i) => model.logits({ input_ids: [ids.slice(0, 1 + (i % ids.length))] });
  const alone = [];
  for (let i = 0; i < 200; i++) alone.push(await call(undefined, i));
  const together = await Promise.all(Array.from({ length: 200 }, call));
  const closing = engine.close();
  const codes = [await codeOf(() => call(undefined, 0)), await codeOf(() => open(engine))];
  await Promise.all([closing, engine.close()]);
  codes.push(await codeOf(() => call(undefined, 0)), await codeOf(() => open(engine)));
  return { same: JSON.stringify(together) === JSON.stringify(alone), codes };
};
`;

/** Content-security policies of pages, by the last part of their paths. */
const POLICIES: Record<string, string> = {
  strict: "script-src 'self'",
  usual: "script-src 'self' 'wasm-unsafe-eval'",
  'file-workers': "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'",
  'blob-workers': "script-src 'self' 'wasm-unsafe-eval'; worker-src blob:",
};

/** A worker's program that takes no part in any job, and ends a little after it is told to. */
const failing = (how: string) => `
let abandon;
let index;
self.onmessage = ({ data }) => {
  if (data !== 'end') {
    index = data.index;
    const imports = { env: { memory: data.memory, watch() {} } };
    abandon = new WebAssembly.Instance(data.module, imports).exports.abandon;
    self.postMessage('ready');
    return;
  }
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  ${how}
};
`;

async function packed(entries: GoldenModel): Promise<Uint8Array> {
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, { codecs: codecList('raw') }), entries, entries.metadata);
  return sink.bytes();
}

describe.skipIf(skipped)('the built packages and a packed mini-qa in Chromium', () => {
  let server: ReturnType<typeof createServer>;
  let origin: string;
  let expected: { bits: number[][]; found: unknown };
  let tinyAnswer: unknown;
  let browsers: Record<'auto' | 'wasm-wide', Browser>;

  beforeAll(async () => {
    const entries = await miniQa();
    const tiny = goldenModel('tiny', { files: madeUpVocabulary(997) });
    // Resolved as a user's bundler would: through the packages' exports, to what is built.
    const { outputFiles } = await build({
      stdin: { contents: PAGE, resolveDir: fileURLToPath(new URL('..', import.meta.url)), loader: 'js' },
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'browser',
      logLevel: 'silent',
      // An empty one, or esbuild would read ours, whose paths lead to the sources.
      tsconfigRaw: {},
    });
    const files: Record<string, { type: string; body: Uint8Array | string }> = {
      '/page.js': { type: 'text/javascript', body: outputFiles[0].contents },
      '/mini-qa.prune': { type: 'application/octet-stream', body: await packed(entries) },
      '/tiny.prune': { type: 'application/octet-stream', body: await packed(tiny) },
      '/plain': { type: 'text/html', body: '<script type="module" src="/page.js"></script>' },
    };
    files['/isolated'] = files['/plain'];
    // As a site without a bundler would copy them.
    const { resolve } = createRequire(import.meta.url);
    for (const [path, type, entry] of [
      ['/worker.js', 'text/javascript', '@prune/kernels/worker'],
      ['/simd-threads.wasm', 'application/wasm', '@prune/kernels/wasm/simd-threads.wasm'],
    ]) {
      files[path] = { type, body: readFileSync(resolve(entry)) };
    }
    server = createServer(({ url = '' }, response) => {
      const [, page, policy] = /^(\/plain|\/isolated)\/([\w-]+)$/.exec(url) ?? [];
      const file = files[page ?? url];
      const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
      response.writeHead(file === undefined ? 404 : 200, {
        'Content-Type': file?.type ?? 'text/plain',
        ...((page ?? url) === '/plain' ? {} : headers),
        ...(policy && { 'Content-Security-Policy': `default-src 'none'; connect-src 'self'; ${POLICIES[policy]}` }),
      });
      response.end(file?.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    const tinyModel = await loadModel(tiny);
    tinyAnswer = JSON.parse(JSON.stringify(await answer(tinyModel, { ...TEXTS, nBest: 5 })));
    await tinyModel.close();
    const model = await loadModel(entries);
    const { start_logits, end_logits } = await model.logits(INPUTS, { head: 'question-answering' });
    expected = {
      bits: [start_logits, end_logits].map(({ data }) => [...new Uint32Array(data.buffer)]),
      found: await answer(model, { ...TEXTS, nBest: 5 }),
    };
    await model.close();
    const launch = (...args: string[]) =>
      chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox', ...args] });
    browsers = { auto: await launch(), 'wasm-wide': await launch('--js-flags=--experimental-wasm-revectorize') };
  });

  afterAll(async () => {
    for (const browser of Object.values(browsers ?? {})) await browser.close();
    await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  });

  test.each([
    ['with cross-origin isolation, 2 threads', '/isolated', 2, { isolated: true, used: 2 }, 'auto'],
    ['the wide kernels, 2 threads', '/isolated', 2, { isolated: true, used: 2 }, 'wasm-wide'],
    ['with cross-origin isolation, 1 thread', '/isolated', 1, { isolated: true, used: 1 }, 'auto'],
    [
      'without cross-origin isolation, where shared memory is not allowed',
      '/plain',
      2,
      { isolated: false, used: 1 },
      'auto',
    ],
  ] as const)('%s: the same bits as Node', async (_, path, threads, how, wanted) => {
    const page = await browsers[wanted].newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('request', (request) => {
      if (!request.url().startsWith(origin) && !request.url().startsWith('blob:'))
        problems.push(`external: ${request.url()}`);
    });
    await page.goto(`${origin}${path}`);
    await page.waitForFunction('globalThis.run !== undefined');
    const result = await page.evaluate(
      (given) => (globalThis as unknown as { run: (...args: unknown[]) => Promise<unknown> }).run(...given),
      [threads, TEXTS, INPUTS, wanted] as const,
    );
    const { kernels, ...rest } = JSON.parse(JSON.stringify(result));
    expect(rest).toEqual({ ...JSON.parse(JSON.stringify(expected)), ...how });
    expect(kernels).toMatch(wanted === 'auto' ? /^wasm-/ : wanted);
    // The favicon that Chromium asks for is not there.
    expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
    await page.close();
  });

  /** Opens a page, whose `load` waits for its scripts, and calls a function of PAGE. */
  async function callOn(path: string, name: string, ...given: unknown[]): Promise<unknown> {
    const page = await browsers.auto.newPage();
    await page.goto(`${origin}${path}`);
    const result = await page.evaluate(
      ([name, given]) =>
        (globalThis as unknown as Record<string, (...args: unknown[]) => unknown>)[name as string](
          ...(given as unknown[]),
        ),
      [name, given] as const,
    );
    await page.close();
    return result;
  }

  const call = (name: string, ...given: unknown[]) => callOn('/isolated', name, ...given);

  const fastest = expect.stringMatching(/^wasm-/);
  const isolation = expect.stringContaining('not cross-origin isolated');
  const notCompiled = expect.stringContaining("'wasm-unsafe-eval' in script-src");
  test.each([
    ['/isolated/strict', {}, { kernels: 'reference', kernelsNote: notCompiled, threadsNote: expect.any(String) }],
    ['/plain/strict', {}, { kernels: 'reference', kernelsNote: notCompiled, threadsNote: expect.any(String) }],
    ['/isolated/usual', {}, { kernels: fastest, threadsNote: expect.stringMatching(/policy.*worker-src blob:/) }],
    ['/isolated/usual', { workers: 'file' }, { kernels: fastest, threads: 2 }],
    [
      '/isolated/file-workers',
      {},
      { kernels: fastest, threadsNote: expect.stringMatching(/policy.*worker-src blob:/) },
    ],
    ['/isolated/file-workers', { workers: 'file' }, { kernels: fastest, threads: 2 }],
    ['/isolated/file-workers', { workers: 'module' }, { kernels: fastest, threads: 2 }],
    [
      '/isolated/file-workers',
      { workers: 'missing' },
      { kernels: fastest, threadsNote: expect.stringContaining('/no-worker.js') },
    ],
    ['/isolated/blob-workers', {}, { kernels: fastest, threads: 2 }],
    [
      '/isolated/blob-workers',
      { workers: 'file' },
      { kernels: fastest, threadsNote: expect.stringMatching(/policy.*origin of the file/) },
    ],
    [
      '/isolated/blob-workers',
      { compiled: true },
      { kernels: 'wasm-simd', kernelsNote: expect.stringContaining('no wasm-relaxed'), threads: 2 },
    ],
    ['/plain/blob-workers', {}, { kernels: fastest, threadsNote: isolation }],
  ] as const)(
    'a page with a content-security policy, %s %o: the same answer, and what it runs on',
    async (path, options, how) => {
      expect(await callOn(path, 'ask', { threads: 2, ...options }, TEXTS)).toEqual({
        found: tinyAnswer,
        how: { threads: 1, ...how },
      });
    },
  );

  test.each([
    ['says so', 'abandon(index); throw new Error("a fault");', false],
    ['is known to its host as ended', 'self.close();', true],
  ])('a worker that ends in a pass and %s: io, then right bits without it and with others', async (_, how, knows) => {
    const bits = expected.bits[0];
    expect(await call('lose', INPUTS, failing(how), knows)).toEqual(['io', bits, bits]);
  });

  test('200 calls at once, and calls during and after close', async () => {
    expect(await call('many', INPUTS)).toEqual({ same: true, codes: Array(4).fill('invalid-argument') });
  });
});
