import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { answer, loadModel } from '@prune/bert-infer';
import { type FileServer, findChromium, type ServedFile, SKIP_CONDITIONS, startFileServer } from '@prune/fixtures';
import { openMsgpackStore } from '@prune/msgpack-store';
import { build } from 'esbuild';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packedMiniQa } from './packed-mini-qa.js';

const built = (file: string) => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));
const TEXTS = {
  question: 'What became popular during the 1920s?',
  context: 'Garden apartments became popular during the 1920s in outlying areas, such as Jackson Heights.',
};
const INPUTS = { input_ids: [[101, 2054, 2003, 1029, 102, 3000, 2003, 1996, 3007, 1012, 102]] };
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
const RESOURCE = { 'cross-origin-resource-policy': 'cross-origin' };

/** What all sides compute, as text that Node and the page run. */
const RUN = `
const run = async (from, { close, ...options }, texts, inputs) => {
  let model;
  try {
    model = await openModel(from, options);
    const { start_logits, end_logits } = await model.logits(inputs, { head: 'question-answering' });
    const bits = [start_logits, end_logits].map(({ data }) => [...new Uint32Array(data.buffer)]);
    const found = await model.answer({ ...texts, nBest: 5 });
    return { bits, found, threads: model.info.threads };
  } catch ({ code, message }) {
    return { code, message };
  } finally {
    await close?.();
    await model?.close();
  }
};`;

let server: FileServer;
/** The same files from another origin. */
let other: FileServer;
let bytes: Uint8Array;
let expected: object;

beforeAll(async () => {
  if (SKIP_CONDITIONS['not-built']()) return;
  bytes = await packedMiniQa('rows');
  const store = await openMsgpackStore(bytes);
  const model = await loadModel(store);
  const { start_logits, end_logits } = await model.logits(INPUTS, { head: 'question-answering' });
  expected = {
    bits: [start_logits, end_logits].map(({ data }) => [...new Uint32Array(data.buffer)]),
    found: await answer(model, { ...TEXTS, nBest: 5 }),
  };
  await model.close();
  const file: ServedFile = { bytes, etag: '"1"' };
  const allowed = { ...RESOURCE, 'access-control-allow-origin': '*' };
  const exposed = { ...allowed, 'access-control-expose-headers': 'content-range, etag' };
  server = await startFileServer([['/mini-qa.prune', file]]);
  other = await startFileServer([
    ['/exposed.prune', { ...file, headers: exposed }],
    ['/hidden.prune', { ...file, headers: allowed }],
    ['/closed.prune', { ...file, headers: RESOURCE }],
  ]);
});
afterAll(async () => {
  await server?.close();
  await other?.close();
});

describe.skipIf(SKIP_CONDITIONS['not-built']())('the built package in Node', () => {
  test('a thread answers, and keeps the process alive only while it does', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'prune-web-'));
    const script = join(folder, 'run.mjs');
    const url = `${server.origin}/mini-qa.prune`;
    await writeFile(
      script,
      `import { openModel } from ${JSON.stringify(built('index.js'))};${RUN}
      const [texts, inputs] = ${JSON.stringify([TEXTS, INPUTS])};
      const result = await run(${JSON.stringify(url)}, { threads: 2 }, texts, inputs);
      await openModel(${JSON.stringify(url)}); // never closed
      console.log(JSON.stringify(result));`,
    );
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], { maxBuffer: 2 ** 24 });
    expect({ result: JSON.parse(stdout), stderr }).toEqual({ result: { ...expected, threads: 2 }, stderr: '' });
    await rm(folder, { recursive: true });
  });

  test('a thread that ends in the middle of an answer: io, with the URL', async () => {
    const url = `${server.origin}/mini-qa.prune`;
    const folder = await mkdtemp(join(tmpdir(), 'prune-web-'));
    const script = join(folder, 'run.mjs');
    await writeFile(
      script,
      `import { openModel } from ${JSON.stringify(built('index.js'))};
      let thread;
      process.on('worker', (worker) => (thread ??= worker));
      const [url, { question, context }] = ${JSON.stringify([url, TEXTS])};
      const model = await openModel(url);
      const asked = model.answer({ question, context: context.repeat(50) });
      setTimeout(() => thread.terminate(), 20);
      const results = await Promise.allSettled([asked, asked.catch(() => model.embed('later'))]);
      console.log(JSON.stringify(results.map(({ reason }) => [reason?.code, reason?.where])));`,
    );
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script], { timeout: 60_000 });
    expect({ errors: JSON.parse(stdout), stderr }).toEqual({ errors: Array(2).fill(['io', url]), stderr: '' });
    await rm(folder, { recursive: true });
  });
});

describe.skipIf(SKIP_CONDITIONS['no-chromium']() || SKIP_CONDITIONS['not-built']())(
  'the built package in Chromium',
  () => {
    let browser: Browser;
    beforeAll(async () => {
      // Bundled as a page's bundler does it: the worker is a file beside the page's.
      const bundle = async (contents: string) => {
        const { outputFiles } = await build({
          stdin: { contents, resolveDir: fileURLToPath(new URL('..', import.meta.url)), loader: 'js' },
          bundle: true,
          write: false,
          format: 'esm',
          platform: 'browser',
          logLevel: 'silent',
          // An empty one, or esbuild would read ours, whose paths lead to the sources.
          tsconfigRaw: {},
        });
        return { bytes: outputFiles[0].contents, type: 'text/javascript', headers: ISOLATED };
      };
      const page = `import { httpSource, openModel } from './dist/index.js';${RUN}
      globalThis.readRanges = async (url, ranges) => {
        const source = await httpSource(url);
        return (await source.readRanges(ranges)).map((bytes) => [...bytes]);
      };
      // A worker that fails by itself in the middle of the first answer.
      globalThis.askDyingWorker = async (file, from, texts) => {
        const worker = () => new Worker(file, { type: 'module' });
        const model = await openModel(from, { worker });
        const asked = model.answer(texts);
        const results = await Promise.allSettled([asked, asked.catch(() => model.embed('later'))]);
        return results.map(({ reason }) => [reason?.code, reason?.message]);
      };
      globalThis.damageCache = async () => {
        const cache = await caches.open('prune');
        let changed = 0;
        for (const { url } of await cache.keys()) {
          if (!url.split('/content/')[1]?.includes('/')) continue;
          const bytes = new Uint8Array(await (await cache.match(url)).arrayBuffer());
          bytes[bytes.length >> 1] ^= 1;
          await cache.put(url, new Response(bytes));
          changed++;
        }
        return changed;
      };
      // Asks while the rest is fetched, and waits for that.
      globalThis.prefetch = async (from, options, texts, inputs) => {
        const rest = new Promise((resolve) => {
          const onProgress = ({ of, done, total }) => of === 'bytes' && done === total && resolve(total);
          globalThis.result = run(from, { ...options, prefetch: true, onProgress, close: () => rest }, texts, inputs);
        });
        return { ...(await globalThis.result), rest: await rest };
      };
      globalThis.run = async (from, ...rest) => run(from === 'file' ? await chosen() : from, ...rest);
      const chosen = async () => new File([await (await fetch('/mini-qa.prune')).blob()], 'mini-qa.prune');`;
      server.files.set('/page.js', await bundle(page));
      server.files.set('/worker.js', await bundle("import './dist/worker.js';"));
      const dying = `import './dist/worker.js';
      addEventListener('message', ({ data }) => {
        if (data.call === 'answer') setTimeout(() => { throw new Error('lost its memory'); }, 20);
      });`;
      server.files.set('/dying-worker.js', await bundle(dying));
      const silent = `import './dist/worker.js';
      addEventListener('message', ({ data }) => {
        if (data.call === 'answer') setTimeout(() => close(), 20);
      });`;
      server.files.set('/silent-worker.js', await bundle(silent));
      const html = {
        bytes: new TextEncoder().encode('<script type="module" src="/page.js"></script>'),
        type: 'text/html',
      };
      server.files.set('/plain', html);
      server.files.set('/isolated', { ...html, headers: ISOLATED });
      server.files.set('/no-worker', { ...html, headers: { 'content-security-policy': "worker-src 'none'" } });
      const scripts = ['plain.js', 'plain-worker.js'].map(
        (name) => [`/${name}`, { bytes: readFileSync(built(name)), type: 'text/javascript' }] as const,
      );
      const wasm = ['relaxed.wasm', 'simd.wasm'].map(
        (name) => [`/wasm/${name}`, { bytes: readFileSync(built(`wasm/${name}`)), type: 'application/wasm' }] as const,
      );
      for (const [path, file] of [...scripts, ...wasm]) {
        server.files.set(path, { ...file, headers: ISOLATED });
        other.files.set(path, { ...file, headers: { ...RESOURCE, 'access-control-allow-origin': '*' } });
      }
      for (const [path, from] of [
        ['/one-file', '/plain.js'],
        ['/one-file-of-cdn', `${other.origin}/plain.js`],
      ]) {
        const script = `import { openModel } from ${JSON.stringify(from)};${RUN} globalThis.run = run;`;
        const text = `<script type="module">${script}</script>`;
        server.files.set(path, { ...html, bytes: new TextEncoder().encode(text), headers: ISOLATED });
      }
      browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
    });
    afterAll(() => browser?.close());

    /** Calls a function of the page at this path. */
    const call = (path: string, name: string, ...given: unknown[]) => callIn(browser, path, name, ...given);
    /** The same in a context, whose pages share what they store. */
    async function callIn(
      context: Pick<Browser, 'newPage'>,
      path: string,
      name: string,
      ...given: unknown[]
    ): Promise<unknown> {
      const page = await context.newPage();
      await page.goto(`${server.origin}${path}`);
      await page.waitForFunction('globalThis.run !== undefined');
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
    const run = (path: string, from: string, options: object = {}) => call(path, 'run', from, options, TEXTS, INPUTS);
    const sent = (log: FileServer['log']) => log.reduce((sum, entry) => sum + entry.sent, 0);

    test('a URL, 2 threads: the same bits as Node, each byte fetched once', async () => {
      server.log.length = 0;
      expect(await run('/isolated', 'mini-qa.prune', { threads: 2 })).toEqual({ ...expected, threads: 2 });
      const log = server.log.filter(({ path }) => path === '/mini-qa.prune');
      expect(log[0].range).toBe('bytes=-24576');
      expect(sent(log)).toBeLessThanOrEqual(bytes.length);
    });

    test('ranges of one address are asked for at the same time', async () => {
      const arrivals: number[] = [];
      const headers = { 'access-control-allow-origin': '*', 'access-control-expose-headers': '*' };
      const slow = await startFileServer([['/x', { bytes, headers }]], { latency: 500 });
      slow.fault = () => {
        arrivals.push(performance.now());
        return undefined;
      };
      // The first request, for the beginning of the file, answers the first range.
      const ranges = Array.from({ length: 6 }, (_, i) => [i * 100_000, i * 100_000 + 3]);
      const parts = await call('/plain', 'readRanges', `${slow.origin}/x`, ranges);
      expect(parts).toEqual(ranges.map(([start, end]) => [...bytes.slice(start, end)]));
      expect(arrivals.length).toBe(6);
      // One after another they would be 500 ms apart.
      expect(arrivals[5] - arrivals[1]).toBeLessThan(4 * 500);
      await slow.close();
    });

    test.each(['/one-file', '/one-file-of-cdn'])('a page without a bundler: %s', async (path) => {
      const from = `${server.origin}/mini-qa.prune`;
      expect(await run(path, from, { threads: 2 })).toEqual({ ...expected, threads: 2 });
    });

    test('a page without a bundler needs at most 150 kB of JavaScript and WebAssembly, with gzip', async () => {
      server.log.length = 0;
      await run('/one-file', 'mini-qa.prune');
      const paths = new Set(server.log.map(({ path }) => path).filter((path) => /\.(js|wasm)$/.test(path)));
      expect([...paths]).toEqual(['/plain.js', '/plain-worker.js', '/wasm/relaxed.wasm']);
      const packed = [...paths].map((path) => gzipSync(server.files.get(path)!.bytes).length);
      expect(packed.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(150_000);
    });

    test('a page without a bundler whose kernels are not beside it: io, with their address', async () => {
      const kernels = server.files.get('/wasm/relaxed.wasm')!;
      server.files.delete('/wasm/relaxed.wasm');
      expect(await run('/one-file', 'mini-qa.prune')).toEqual({
        code: 'io',
        message: expect.stringMatching(/\/wasm\/relaxed\.wasm: the kernels could not be fetched, got status 404/),
      });
      server.files.set('/wasm/relaxed.wasm', kernels);
    });

    test('a chosen file, without isolation: one thread', async () => {
      expect(await run('/plain', 'file', { threads: 2 })).toEqual({ ...expected, threads: 1 });
    });

    test('another origin whose server exposes its headers: ranges, and no preflight', async () => {
      other.log.length = 0;
      expect(await run('/plain', `${other.origin}/exposed.prune`)).toEqual({ ...expected, threads: 1 });
      expect(other.log.map(({ method }) => method)).not.toContain('OPTIONS');
      expect(other.log[0].range).toBe('bytes=0-24575');
      expect(sent(other.log)).toBeLessThanOrEqual(bytes.length);
    });

    test('another origin whose server hides its headers: one download', async () => {
      other.log.length = 0;
      expect(await run('/plain', `${other.origin}/hidden.prune`)).toEqual({ ...expected, threads: 1 });
      expect(other.log.map(({ method, range }) => [method, range])).toEqual([
        ['GET', 'bytes=0-24575'],
        ['GET', undefined],
      ]);
    });

    test('another origin whose server does not allow it: io, with what can be the reason', async () => {
      expect(await run('/plain', `${other.origin}/closed.prune`, { http: { retries: 0 } })).toEqual({
        code: 'io',
        message: expect.stringMatching(/closed\.prune: could not be fetched.*Access-Control-Allow-Origin/),
      });
    });

    test('a worker that dies in the middle of an answer: io, with the URL, for that answer and later calls', async () => {
      const url = `${server.origin}/mini-qa.prune`;
      const error = ['io', expect.stringMatching(/mini-qa\.prune: the worker of the model failed: .*lost its memory/)];
      const texts = { ...TEXTS, context: TEXTS.context.repeat(50) };
      expect(await call('/plain', 'askDyingWorker', '/dying-worker.js', url, texts)).toEqual([error, error]);
    });

    test('a worker that ends without an event in the middle of an answer: io', async () => {
      const url = `${server.origin}/mini-qa.prune`;
      const error = ['io', expect.stringMatching(/mini-qa\.prune: the worker of the model failed: it has ended/)];
      const texts = { ...TEXTS, context: TEXTS.context.repeat(50) };
      expect(await call('/plain', 'askDyingWorker', '/silent-worker.js', url, texts)).toEqual([error, error]);
    });

    test('a second visit: from Cache Storage, with the same bits', async () => {
      const context = await browser.newContext();
      const visit = async (name: string, options: object = {}) => {
        server.log.length = 0;
        const result = await callIn(context, '/isolated', name, 'mini-qa.prune', options, TEXTS, INPUTS);
        return { result, ranges: server.log.filter(({ path }) => path === '/mini-qa.prune').map(({ range }) => range) };
      };
      const right = { ...expected, threads: 1 };
      const check = ['bytes=0-47'];
      const first = await visit('run');
      expect(first.result).toEqual(right);
      expect(sent(server.log.filter(({ path }) => path === '/mini-qa.prune'))).toBeLessThan(0.7 * bytes.length);
      expect(await visit('run')).toEqual({ result: right, ranges: check });
      // Damaged entries are fetched again.
      expect(await callIn(context, '/isolated', 'damageCache')).toBeGreaterThan(0);
      const damaged = await visit('run');
      expect(damaged.result).toEqual(right);
      expect(damaged.ranges.length).toBeGreaterThan(1);
      expect(await visit('run')).toEqual({ result: right, ranges: check });
      // The rest, while a question is asked.
      expect((await visit('prefetch')).result).toEqual({ ...right, rest: bytes.length });
      const { integrity } = await openMsgpackStore(bytes);
      expect(await visit('run', { integrity })).toEqual({ result: right, ranges: [] });
      await context.close();
    });

    test('a policy that forbids workers: io, with its name', async () => {
      expect(await run('/no-worker', 'mini-qa.prune')).toEqual({
        code: 'io',
        message: expect.stringContaining('worker-src'),
      });
    });
  },
);
