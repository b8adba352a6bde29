import { type Elementary, type Progress, PruneError } from '@prune/core';
import { codeOf } from '@prune/fixtures';
import { describe, expect, test, vi } from 'vitest';
import {
  answer,
  type BertModel,
  classify,
  classifyTokens,
  compareModels,
  embed,
  loadModel,
  TEXTS_AT_ONCE,
} from '../src/index.js';
import { workerThreads } from '../src/node.js';
import { evaluateSquad } from '../src/squad.js';
import { goldenModel, madeUpVocabulary } from './golden-model.js';
import { miniQa } from './mini-qa.js';

const stored = await miniQa();
const model = await loadModel(stored);
const question = 'What is it?';
const context = 'It is a word, and another. '.repeat(30);
const windows = { question, context, maxLength: 64, stride: 8 };
const texts = Array.from({ length: 60 }, (_, i) => `${'word '.repeat(1 + ((i * 7) % 47))}${i}`);

/** The model, which counts its passes. */
function counting(): { model: BertModel; passes(): number } {
  let passes = 0;
  const counted =
    <A extends unknown[], R>(call: (...args: A) => R) =>
    (...args: A): R => {
      passes++;
      return call(...args);
    };
  const logits = counted(model.logits as (...args: unknown[]) => unknown) as BertModel['logits'];
  return { model: { ...model, logits, meanPooled: counted(model.meanPooled) }, passes: () => passes };
}

type Watch = { readonly signal?: AbortSignal; readonly onProgress?: (progress: Progress) => void };
const dataset = { version: 1, examples: texts.map((id) => ({ id, question, context, answers: ['a'] })) } as const;
const rows = { batches: 4, batchSize: 2, length: 9 };

/** Everything that takes a signal and reports progress, and how many steps it has. */
const WORK: Record<string, { steps: number | undefined; run(model: BertModel, watch: Watch): Promise<unknown> }> = {
  answer: { steps: undefined, run: (model, watch) => answer(model, { ...windows, ...watch }) },
  embed: { steps: texts.length, run: (model, watch) => embed(model, texts, watch) },
  'embed of one text': { steps: 1, run: (model, watch) => embed(model, texts[0], watch) },
  evaluateSquad: { steps: texts.length, run: (_, watch) => evaluateSquad(dataset, new Map([['a', 'b']]), watch) },
  compareModels: { steps: rows.batches, run: (model, watch) => compareModels(model, model, { ...rows, ...watch }) },
  loadModel: { steps: model.config.layers, run: (_, watch) => loadModel(stored, watch) },
};

describe.each(Object.entries(WORK))('%s', (_, { steps, run }) => {
  test('progress goes up to the total', async () => {
    const heard: Progress[] = [];
    await run(model, { onProgress: (progress) => heard.push(progress) });
    const total = heard[0].total;
    expect(steps ?? total).toBe(total);
    expect(heard.every((progress) => progress.total === total)).toBe(true);
    expect(heard.map(({ done }) => done)).toEqual([...new Set(heard.map(({ done }) => done))].sort((a, b) => a - b));
    expect(heard.at(-1)).toEqual({ done: total, total });
  });

  test('a signal that is aborted before: nothing is computed', async () => {
    const counted = counting();
    expect(await codeOf(() => run(counted.model, { signal: AbortSignal.abort() }))).toBe('aborted');
    expect(counted.passes()).toBe(0);
  });

  test('an error of onProgress stops it', async () => {
    const mine = new PruneError('missing', { what: 'mine' });
    const onProgress = () => {
      throw mine;
    };
    await expect(run(model, { onProgress })).rejects.toBe(mine);
  });
});

describe.each(['answer', 'embed', 'compareModels', 'loadModel', 'evaluateSquad'])('%s', (name) => {
  test('aborted after its first step: no other step', async () => {
    const controller = new AbortController();
    const counted = counting();
    const heard: number[] = [];
    let passes = 0;
    const onProgress = ({ done }: Progress) => {
      heard.push(done);
      passes = counted.passes();
      controller.abort();
    };
    const run = WORK[name].run(counted.model, { signal: controller.signal, onProgress });
    expect(await codeOf(() => run)).toBe('aborted');
    expect([heard.length, counted.passes()]).toEqual([1, passes]);
  });
});

test.each(['answer', 'embed', 'compareModels', 'loadModel'])('%s lets timers fire', async (name) => {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const { run } = WORK[name];
  const start = performance.now();
  // More than once on a machine so fast that it is done within a turn.
  while (ticks === 0 && performance.now() - start < 5000) await run(model, {});
  clearInterval(timer);
  expect(ticks).toBeGreaterThan(0);
});

describe('arrays of texts', () => {
  test('none', async () => {
    expect(await embed(model, [])).toEqual([]);
    expect(await classify(model, [])).toEqual([]);
  });

  test('rowwise: every text gives the bits that it gives alone, in the order of the texts', async () => {
    const rowwise = await loadModel(stored, { rowwise: true });
    const alone = [];
    for (const text of texts) alone.push(await embed(rowwise, text));
    const heard: number[] = [];
    expect(await embed(rowwise, texts, { onProgress: ({ done }) => heard.push(done) })).toEqual(alone);
    // More than one batch, and fewer than texts.
    expect(heard.length).toBeGreaterThan(1);
    expect(heard.length).toBeLessThan(texts.length);
    await rowwise.close();
  });

  test('per tensor: the same bits every time, one text alone as in an array of one', async () => {
    expect(await embed(model, texts)).toEqual(await embed(model, texts));
    expect(await embed(model, [texts[3]], { normalize: true })).toEqual([
      await embed(model, texts[3], { normalize: true }),
    ]);
  });

  test('the result so far has the texts of the batches that have run, and those alone', async () => {
    const whole = await embed(model, texts);
    const controller = new AbortController();
    let known: () => (Float32Array | undefined)[] = () => [];
    const onProgress = ({ done }: Progress, soFar: typeof known) => {
      known = soFar;
      expect(soFar().filter((vector) => vector !== undefined)).toHaveLength(done);
      if (done > texts.length / 2) controller.abort();
    };
    expect(await codeOf(() => embed(model, texts, { signal: controller.signal, onProgress }))).toBe('aborted');
    expect(known()).toHaveLength(texts.length);
    expect(known()).toContain(undefined);
    expect(known()).toEqual(whole.map((vector, i) => known()[i] && vector));
  });

  test('many texts give the bits of their groups', async () => {
    const tiny = await loadModel(goldenModel('tiny', { files: madeUpVocabulary(997) }));
    const many = Array.from({ length: TEXTS_AT_ONCE + 9 }, (_, i) => 'a '.repeat(1 + ((i * 7) % 11)));
    const groups = [many.slice(0, TEXTS_AT_ONCE), many.slice(TEXTS_AT_ONCE)];
    const apart = [await embed(tiny, groups[0]), await embed(tiny, groups[1])];
    expect(await embed(tiny, many)).toEqual(apart.flat());
    await tiny.close();
  });

  test('an error about one text says which one', async () => {
    const long = 'word '.repeat(600);
    await expect(embed(model, ['a', 'b', long])).rejects.toMatchObject({ code: 'limit', text: 2 });
    await expect(embed(model, ['a', ' '])).rejects.toThrow('text has no token in it (texts[1])');
    await expect(classify(model, ['a', 'b'], { pair: ['c', long] })).rejects.toMatchObject({ code: 'limit', text: 1 });
    const noText = undefined as unknown as string;
    await expect(embed(model, ['a', noText])).rejects.toThrow(
      'embed: text, got [object Undefined], wanted a text (texts[1])',
    );
    for (const alone of [long, ' ', noText])
      await expect(embed(model, alone)).rejects.toMatchObject({ text: undefined });
    await expect(embed(model, ['a'], { signal: AbortSignal.abort() })).rejects.toMatchObject({ text: undefined });
  });

  test('what is not a text, in a place of its own: invalid-argument', async () => {
    const notTexts = [undefined, null, 5, {}, [['a']]] as unknown as string[];
    for (const text of notTexts) {
      expect(await codeOf(() => embed(model, ['a', text]))).toBe('invalid-argument');
      expect(await codeOf(() => answer(model, { question: text, context }))).toBe('invalid-argument');
      expect(await codeOf(() => answer(model, { question, context: text }))).toBe('invalid-argument');
    }
    for (const text of notTexts.slice(0, 4)) {
      for (const call of [embed, classify, classifyTokens]) {
        expect(await codeOf(() => (call as typeof classifyTokens)(model, text))).toBe('invalid-argument');
      }
    }
    expect(await codeOf(() => classify(model, ['a', 'b'], { pair: ['c'] }))).toBe('invalid-argument');
    expect(await codeOf(() => answer(model, undefined as unknown as typeof windows))).toBe('invalid-argument');
  });
});

test('a load that is aborted closes what it opened, and its engine goes on', async () => {
  const tiny: Map<string, Elementary> = goldenModel('tiny', { files: madeUpVocabulary(997) });
  const controller = new AbortController();
  const loading = loadModel(tiny, { signal: controller.signal, onProgress: () => controller.abort() });
  expect(await codeOf(() => loading)).toBe('aborted');
  expect(await embed(await loadModel(tiny), 'a b')).toHaveLength(64);
});

test.each(['embeddings.word_embeddings.weight', 'intermediate.dense', 'qa_outputs'])(
  'a load that is aborted does not wait for the store, which is reading %s',
  async (part) => {
    const tiny = goldenModel('tiny');
    const controller = new AbortController();
    const ends: (() => void)[] = [];
    const slow = {
      metadata: tiny.metadata,
      keys: () => tiny.keys(),
      get(name: string): Promise<Elementary | undefined> | Elementary | undefined {
        if (!name.includes(part)) return tiny.get(name);
        setImmediate(() => controller.abort());
        return new Promise((_, reject) => ends.push(() => reject(new Error('the file is closed'))));
      },
    };
    expect(await codeOf(() => loadModel(slow, { signal: controller.signal }))).toBe('aborted');
    // Vitest fails on an unhandled rejection.
    for (const end of ends) end();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ends).toHaveLength(1);
  },
);

test('info: how a model computes, and its memory', async () => {
  const tiny = await loadModel(goldenModel('tiny'), {
    engine: { kernels: 'wasm-simd', threads: 2, threadHost: workerThreads },
    rowwise: true,
    attention: 'int16',
  });
  const { memory, ...how } = tiny.info;
  expect(how).toEqual({
    kernels: 'wasm-simd',
    kernelsNote: undefined,
    threads: 2,
    threadsWanted: 2,
    threadsNote: undefined,
    profile: tiny.profile,
    attention: 'int16',
    rowwise: true,
    layers: Array(2).fill({ heads: 4, intermediateSize: 256 }),
    lazyEmbeddings: false,
  });
  const { vocabSize, positions, typeVocabSize, hiddenSize } = tiny.config;
  expect(memory.embeddings).toBe(4 * hiddenSize * (vocabSize + positions + typeVocabSize));
  expect(memory.encoder).toBeGreaterThan(0);
  expect(memory.heads).toBeGreaterThan(0);
  await tiny.close();
  expect(tiny.info.memory).toEqual({ encoder: 0, embeddings: 0, heads: 0 });
  const reference = await loadModel(goldenModel('tiny'), { engine: { kernels: 'reference', threads: 4 } });
  expect(reference.info).toMatchObject({
    threads: 1,
    threadsWanted: 4,
    threadsNote: expect.stringMatching(/^[A-Z].*\.$/),
    attention: 'float32',
    memory: { encoder: undefined, heads: undefined },
  });
  vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new WebAssembly.CompileError('forbidden'));
  const forbidden = await loadModel(goldenModel('tiny'));
  vi.restoreAllMocks();
  expect(forbidden.info).toMatchObject({
    kernels: 'reference',
    kernelsNote: expect.stringContaining("'wasm-unsafe-eval'"),
  });
});
