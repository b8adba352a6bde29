import { answer, type BertModel, embed, loadModel } from '@prune/bert-infer';
import { memorySink, type TensorStore } from '@prune/core';
import { type FileServer, startFileServer } from '@prune/fixtures';
import { bundleModels, openMsgpackStore } from '@prune/msgpack-store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packedMiniQa } from '../test/packed-mini-qa.js';
import { type WorkerInProcess, workerInProcess } from '../test/worker-in-process.js';
import { type OpenedModel, type OpenModelOptions, openModel } from './open-model.js';

const TEXTS = {
  question: 'What became popular during the 1920s?',
  context: 'Garden apartments became popular during the 1920s in outlying areas, such as Jackson Heights.',
};
const LONG = { ...TEXTS, context: TEXTS.context.repeat(30) };
const INPUTS = { input_ids: [[101, 2054, 2003, 1029, 102, 3000, 2003, 1996, 3007, 1012, 102]] };

let server: FileServer;
let bytes: Uint8Array;
let store: TensorStore;
/** The same model, on this thread. */
let direct: BertModel;
let worker: WorkerInProcess;
let model: OpenedModel;

function open(from: Parameters<typeof openModel>[0], options: OpenModelOptions = {}) {
  return openModel(from, {
    worker() {
      worker = workerInProcess();
      return worker;
    },
    ...options,
  });
}

beforeAll(async () => {
  bytes = await packedMiniQa();
  server = await startFileServer([['/mini-qa.prune', { bytes, etag: '"1"' }]]);
  store = await openMsgpackStore(bytes);
  direct = await loadModel(store);
  model = await open(`${server.origin}/mini-qa.prune`);
});
afterAll(async () => {
  await model.close();
  await direct.close();
  await store.close();
  await server.close();
});

test('a model by its URL: facts, answers, embeddings and logits are those of the model on this thread', async () => {
  const { config, heads, profile, info } = model;
  expect({ config, heads, profile }).toEqual({ config: direct.config, heads: direct.heads, profile: direct.profile });
  expect(info.memory.embeddings).toBe(direct.info.memory.embeddings);
  expect(await model.answer({ ...TEXTS, nBest: 3 })).toEqual(await answer(direct, { ...TEXTS, nBest: 3 }));
  const texts = [TEXTS.question, TEXTS.context];
  expect(await model.embed(texts)).toEqual(await embed(direct, texts));
  expect(await model.embed(texts[0], { normalize: true })).toEqual(await embed(direct, texts[0], { normalize: true }));
  const head = 'question-answering';
  expect(await model.logits(INPUTS, { head })).toEqual(await direct.logits(INPUTS, { head }));
  expect(await model.meanPooled(INPUTS)).toEqual(await direct.meanPooled(INPUTS));
  expect(await model.sentenceEmbeddings(INPUTS)).toEqual(await direct.sentenceEmbeddings(INPUTS));
  expect(await model.hiddenStates(INPUTS)).toEqual(await direct.hiddenStates(INPUTS));
});

test('no byte of the model is fetched twice', () => {
  const sent = server.log.reduce((sum, entry) => sum + entry.sent, 0);
  expect(sent).toBeLessThanOrEqual(bytes.length);
});

test.each([
  ['bytes', () => bytes],
  ['a blob', () => new Blob([bytes.slice()])],
])('%s, with progress', async (_, from) => {
  const seen: string[] = [];
  const other = await open(from(), {
    onProgress: ({ of, done, total }) => seen.push(`${of} ${done} of ${total}`),
    rowwise: true,
  });
  expect(other.info.rowwise).toBe(true);
  expect(seen.at(-1)).toBe(`layers ${direct.config.layers} of ${direct.config.layers}`);
  expect((await other.answer(TEXTS)).windows).toBe(1);
  await other.close();
  expect(worker.isTerminated).toBe(true);
});

test.each([
  ['model.prune', { got: '"model.prune"' }],
  [undefined as unknown as string, { wanted: expect.stringContaining('Blob') }],
])('what is not a model: %s', async (from, error) => {
  await expect(open(from)).rejects.toMatchObject({ code: 'invalid-argument', ...error });
});

test('one model of a file that has several: by the name behind its URL, or by the option', async () => {
  const sink = memorySink();
  await bundleModels(sink, [
    { source: bytes, name: 'qa' },
    { source: bytes, name: 'two' },
  ]);
  server.files.set('/both.prune', { bytes: sink.bytes().slice() });
  const where = `${server.origin}/both.prune`;
  await expect(open(where)).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(open(`${where}#none`)).rejects.toMatchObject({ code: 'missing' });
  for (const other of [await open(`${where}#qa`), await open(new URL(where), { model: 'two' })]) {
    expect((await other.answer(TEXTS)).text).toBe('Garden apartments');
    await other.close();
  }
});

test('a base is found by its address, relative to the file; one that is missing is an error that names it', async () => {
  const sink = memorySink();
  await bundleModels(sink, [{ source: bytes }], { bases: [{ name: '../base.prune', source: bytes }] });
  server.files.set('/tasks/qa.prune', { bytes: sink.bytes().slice() });
  server.files.set('/base.prune', { bytes });
  const where = `${server.origin}/tasks/qa.prune`;
  const other = await open(where);
  expect(await other.answer(TEXTS)).toEqual(await answer(direct, TEXTS));
  await other.close();
  server.files.delete('/base.prune');
  await expect(open(where)).rejects.toMatchObject({ code: 'missing', what: expect.stringContaining('../base.prune') });
});

test('integrity: the manifest that was promised, or an error', async () => {
  const where = `${server.origin}/mini-qa.prune`;
  const { integrity } = await openMsgpackStore(bytes);
  const other = await open(where, { integrity });
  expect((await other.answer(TEXTS)).text).toBe('Garden apartments');
  await other.close();
  const wanted = `sha256-${'A'.repeat(43)}=`;
  await expect(open(where, { integrity: wanted })).rejects.toMatchObject({ code: 'mismatch', where, got: integrity });
});

test('errors of the worker come with their code and fields, and the model goes on', async () => {
  await expect(model.classify('x')).rejects.toMatchObject({ code: 'missing', wanted: 'sequence-classification' });
  await expect(model.answer({ ...TEXTS, question: '' })).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(model.logits({ input_ids: [[-1]] })).rejects.toMatchObject({ code: 'invalid-argument' });
  const notSent = { input_ids: [[() => 1]] } as unknown as typeof INPUTS;
  await expect(model.logits(notSent)).rejects.toMatchObject({ code: 'invalid-argument' });
  expect((await model.answer(TEXTS)).text).toBe('Garden apartments');
});

test('errors of the opening name the URL, and end the worker', async () => {
  const where = `${server.origin}/none.prune`;
  await expect(open(where)).rejects.toMatchObject({ code: 'missing', where });
  expect(worker.isTerminated).toBe(true);
  server.files.set('/page', { bytes: new TextEncoder().encode('<!doctype html>'.repeat(9)), type: 'text/html' });
  await expect(open(`${server.origin}/page`)).rejects.toMatchObject({
    code: 'unsupported',
    where: `${server.origin}/page (status 206, text/html)`,
  });
  await expect(open(bytes.slice(0, 1000))).rejects.toMatchObject({ code: 'truncated' });
});

test('a call is stopped while it runs, and before its turn', async () => {
  const running = new AbortController();
  const queued = new AbortController();
  const steps: number[] = [];
  const calls = [
    model.answer({
      ...LONG,
      signal: running.signal,
      onProgress: ({ done }) => {
        if (steps.push(done) === 2) running.abort();
      },
    }),
    model.embed('x', { signal: queued.signal }),
    model.embed('y'),
  ];
  queued.abort();
  await expect(calls[1]).rejects.toMatchObject({ code: 'aborted' });
  expect(steps).toEqual([]);
  await expect(calls[0]).rejects.toMatchObject({ code: 'aborted' });
  expect(await calls[2]).toEqual(await embed(direct, 'y'));
  await expect(model.embed('x', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' });
});

test('what onProgress throws stops the call', async () => {
  const error = new Error('enough');
  const onProgress = () => {
    throw error;
  };
  await expect(model.answer({ ...LONG, onProgress })).rejects.toBe(error);
  expect((await model.answer(TEXTS)).text).toBe('Garden apartments');
});

test('an opening is stopped, which ends the worker', async () => {
  server.fault = () => ({ stall: 100 });
  const signal = AbortSignal.timeout(100);
  await expect(open(`${server.origin}/mini-qa.prune`, { signal })).rejects.toMatchObject({ code: 'aborted' });
  server.fault = () => undefined;
  expect(worker.isTerminated).toBe(true);
});

test('close waits for the calls before it; those after it fail', async () => {
  const other = await open(bytes);
  const before = other.answer(TEXTS);
  const closing = other.close();
  await expect(other.answer(TEXTS)).rejects.toMatchObject({ code: 'invalid-argument' });
  expect((await before).text).toBe('Garden apartments');
  await closing;
  await other.close();
  expect(worker.isTerminated).toBe(true);
});

test('a worker that dies: io, for the call that waits and for later ones', async () => {
  const other = await open(bytes);
  const waiting = other.answer(LONG);
  worker.fail('out of memory');
  const error = { code: 'io', what: expect.stringContaining('out of memory') };
  await expect(waiting).rejects.toMatchObject(error);
  await expect(other.answer(TEXTS)).rejects.toMatchObject(error);
  await other.close();
});

test('a worker that does not start: io, with what may forbid it', async () => {
  const opening = open(bytes);
  worker.fail(undefined);
  await expect(opening).rejects.toMatchObject({ code: 'io', what: expect.stringContaining('worker-src') });
  const refused = () => {
    throw new Error('refused by the policy');
  };
  await expect(open(bytes, { worker: refused })).rejects.toMatchObject({
    code: 'io',
    what: expect.stringContaining('refused by the policy'),
  });
});
