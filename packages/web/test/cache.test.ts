import { answer, embed, loadModel } from '@prune/bert-infer';
import { memorySink } from '@prune/core';
import { type FileServer, startFileServer } from '@prune/fixtures';
import { bundleModels, openMsgpackStore } from '@prune/msgpack-store';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type OpenedModel, type OpenModelOptions, openModel } from '../src/open-model.js';
import { type MemoryCache, memoryCache } from './memory-cache.js';
import { packedMiniQa } from './packed-mini-qa.js';
import { workerInProcess } from './worker-in-process.js';

// A model that is opened again, from the URL to the answer: what its visits fetch, and that they answer with the same
// bits.

const TEXTS = {
  question: 'What became popular during the 1920s?',
  context: 'Garden apartments became popular during the 1920s in outlying areas, such as Jackson Heights.',
};
const CHECK = ['bytes=0-47'];

let server: FileServer;
/** Its tables of embeddings are read by rows. */
let bytes: Uint8Array;
let integrity: string;
let expected: { answer: object; embedding: Float32Array };
let cache: MemoryCache;

beforeAll(async () => {
  bytes = await packedMiniQa('rows');
  server = await startFileServer([]);
  const store = await openMsgpackStore(bytes);
  integrity = store.integrity!;
  const model = await loadModel(store);
  expected = { answer: await answer(model, TEXTS), embedding: await embed(model, 'a zebra at the harbour') };
  await model.close();
});
afterAll(() => server.close());
beforeEach(() => {
  cache = memoryCache();
  server.fault = () => undefined;
  serve(bytes);
});

function serve(file: Uint8Array, path = '/model.prune') {
  server.files.set(path, { bytes: file, etag: '"1"' });
}

async function visit<T>(
  use: (model: OpenedModel) => Promise<T>,
  options: OpenModelOptions = {},
  path = '/model.prune',
): Promise<T> {
  server.log.length = 0;
  cache.log.length = 0;
  const model = await openModel(`${server.origin}${path}`, { worker: () => workerInProcess({ cache }), ...options });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

const ask = async (model: OpenedModel) => expect(await model.answer(TEXTS)).toEqual(expected.answer);
const embedOther = async (model: OpenedModel) =>
  expect(await model.embed('a zebra at the harbour')).toEqual(expected.embedding);
const ranges = () => server.log.map(({ range }) => range);

test('the second visit fetches nothing but the check; another text, only its rows', async () => {
  await visit(ask);
  await visit(ask);
  expect(ranges()).toEqual(CHECK);
  // The address, what is there, and a few pieces: a machine that is busy stores in more steps.
  expect(cache.log.filter(([call]) => call === 'match').length).toBeLessThanOrEqual(8);
  await visit(ask, { integrity });
  // Hashes of groups of rows are read with integrity alone.
  expect(server.log.reduce((sum, { sent }) => sum + sent, 0)).toBeLessThan(400_000);
  await visit(ask, { integrity });
  expect(ranges()).toEqual([]);
  await visit(embedOther);
  expect(server.log.reduce((sum, { sent }) => sum + sent, 0)).toBeLessThan(60_000);
  await visit(embedOther);
  expect(ranges()).toEqual(CHECK);
});

test('cache: false keeps nothing', async () => {
  await visit(ask, { cache: false });
  expect(cache.log).toEqual([]);
});

test('without a network, what is in the cache answers', async () => {
  await visit(ask);
  server.fault = () => ({ cut: 0 });
  await visit(ask);
});

test('the server is asked while the model is opened: another file is opened anew, and one that is gone is missing', async () => {
  await visit(ask);
  const sink = memorySink();
  await bundleModels(sink, [{ source: bytes, name: 'qa' }]);
  serve(sink.bytes().slice());
  await visit(ask);
  expect(server.log.length).toBeGreaterThan(3);
  await visit(ask);
  expect(ranges()).toEqual(CHECK);
  server.files.delete('/model.prune');
  await expect(visit(ask)).rejects.toMatchObject({ code: 'missing' });
});

test('prefetch: the rest comes after the model, with progress, and then no visit fetches more', async () => {
  const seen: { done: number; total: number }[] = [];
  await visit(
    async (model) => {
      await ask(model);
      await expect.poll(() => seen.at(-1)).toEqual({ of: 'bytes', done: bytes.length, total: bytes.length });
    },
    { prefetch: true, onProgress: (progress) => progress.of === 'bytes' && seen.push(progress) },
  );
  // Each byte once, but for gaps that are cheaper to fetch along.
  expect(server.log.reduce((sum, { sent }) => sum + sent, 0)).toBeLessThan(1.02 * bytes.length);
  await visit(embedOther);
  expect(ranges()).toEqual(CHECK);
  await visit(embedOther, { integrity, prefetch: true });
  expect(ranges()).toEqual([]);
});

test('prefetch waits while a call runs, and close stops it', async () => {
  let model: OpenedModel | undefined;
  await visit(
    async (opened) => {
      model = opened;
      await ask(opened);
    },
    { prefetch: true },
  );
  await expect(model!.answer(TEXTS)).rejects.toMatchObject({ code: 'invalid-argument' });
  const { length } = server.log;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(server.log.length).toBe(length);
});

test('prefetch without a cache: the tables are in memory', async () => {
  await visit(
    async (model) => {
      await expect
        .poll(async () => (await model.embed('x')) && model.info.lazyEmbeddings, { interval: 500, timeout: 20_000 })
        .toBe(false);
      server.log.length = 0;
      await embedOther(model);
      expect(ranges()).toEqual([]);
    },
    { cache: false, prefetch: true },
  );
});

test('what throws in onProgress after the opening ends the prefetch alone', async () => {
  let isOpen = false;
  let calls = 0;
  const onProgress = () => {
    calls++;
    if (isOpen) throw new Error('enough');
  };
  await visit(
    async (model) => {
      isOpen = true;
      calls = 0;
      await expect.poll(() => calls).toBeGreaterThan(0);
      calls = 0;
      await ask(model);
      expect(calls).toBe(0);
    },
    { prefetch: true, onProgress },
  );
});

test('bytes that were wrong when they were stored: fetched again, and the answer is right', async () => {
  await visit(
    async (model) => {
      server.log.length = 0;
      await embedOther(model);
    },
    { cache: false, http: { gapBytes: 0 } },
  );
  const rows = ranges().map((range) => /(\d+)-(\d+)/.exec(range!)!.slice(1).map(Number));
  const wrong = bytes.slice();
  for (const [first, last] of rows) for (let at = first; at <= last; at++) wrong[at] ^= 1;
  // An error of that visit alone: bytes that are found to be wrong are not kept.
  serve(wrong);
  await expect(visit(embedOther)).rejects.toMatchObject({ code: 'corrupt' });
  serve(bytes);
  await visit(embedOther);
  // Nothing is checked while it is fetched in the background.
  cache = memoryCache();
  serve(wrong);
  let isDone = false;
  const onProgress = ({ done, total }: { done: number; total: number }) => {
    isDone ||= done === total && total === bytes.length;
  };
  await visit(async () => expect.poll(() => isDone, { timeout: 10_000 }).toBe(true), { prefetch: true, onProgress });
  serve(bytes);
  await visit(embedOther);
  await visit(embedOther);
});

test('a base goes through the cache too', async () => {
  const sink = memorySink();
  await bundleModels(sink, [{ source: bytes }], { bases: [{ name: '../base.prune', source: bytes }] });
  serve(sink.bytes().slice(), '/tasks/qa.prune');
  serve(bytes, '/base.prune');
  await visit(ask, {}, '/tasks/qa.prune');
  await visit(ask, {}, '/tasks/qa.prune');
  expect(server.log.map(({ path, range }) => [path, range])).toEqual([
    ['/tasks/qa.prune', CHECK[0]],
    ['/base.prune', CHECK[0]],
  ]);
});
