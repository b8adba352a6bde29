import { fileURLToPath } from 'node:url';
import { type Elementary, type JsonObject, type ModelMetadata, PruneError, type Tensor, tensor } from '@prune/core';
import { decompose } from '@prune/csr';
import { codeOf, goldenPath, type RowsAsked, readNpz, rowStore } from '@prune/fixtures';
import { linearModules, quantizeDynamic } from '@prune/quant';
import { describe, expect, test } from 'vitest';
import { type LoadModelOptions, loadModel } from '../src/model/load-model.js';
import { goldenConfig, goldenModel } from './golden-model.js';
import { readSafetensors } from './read-safetensors.js';

const WORDS = 'bert.embeddings.word_embeddings';
const POSITIONS = 'bert.embeddings.position_embeddings';
const TABLES = [`${WORDS}.weight`, `${POSITIONS}.weight`];
const metadata: ModelMetadata = { config: goldenConfig('tiny') };
const whole = goldenModel('tiny');
const inputs = { input_ids: [[2, 300, 17, 300, 3]] };
const other = { input_ids: [[2, 17, 996, 3, 3, 3]] };
const wholeModel = await loadModel(whole);
const wantedLogits = await wholeModel.logits(inputs);

/** The model with its tables in 8 or 4 bits, or as floats of 16. */
async function packed(dtype: 'int8' | 'int4' | 'float16' | 'bfloat16'): Promise<Map<string, Elementary>> {
  const packed = new Map(whole);
  if (dtype === 'float16' || dtype === 'bfloat16') {
    for (const name of TABLES) {
      const { shape, data } = packed.get(name) as Tensor;
      // Any bits do, as long as none of them makes a NaN, an infinity or a number too large to be normalized.
      const bits = new Uint16Array(new Uint16Array(data.buffer, data.byteOffset, data.length)).map(
        (bit) => bit & 0x3bff,
      );
      packed.set(name, tensor(dtype, shape, bits));
    }
    return packed;
  }
  for (const name of TABLES) packed.delete(name);
  const floats = readSafetensors(goldenPath('tiny/model.safetensors'));
  const quantized = quantizeDynamic(floats, { ...linearModules(goldenConfig('tiny'), floats), embeddings: dtype });
  for (const name of [WORDS, POSITIONS]) {
    for await (const [part, value] of decompose(new Map([[name, (await quantized.get(name))!]])))
      packed.set(part, value);
  }
  return packed;
}

/** A model whose tables are left in a store, and the store. The load has asked what the store can do. */
async function lazyModel(
  values: ReadonlyMap<string, Elementary> = whole,
  before?: (asked: RowsAsked) => Promise<void> | void,
  options: LoadModelOptions = {},
) {
  let loaded = false;
  const store = rowStore(values, (asked) => (loaded ? before?.(asked) : undefined));
  const model = await loadModel(Object.assign(store, { metadata }), { lazyEmbeddings: true, ...options });
  loaded = true;
  const { asked, read } = store;
  expect(asked.splice(0).every(({ rows }) => rows.length === 0)).toBe(true);
  return { model, store, asked, read };
}

const rowsAsked = (asked: readonly RowsAsked[]) => asked.map(({ names, rows }) => [names[0], ...rows]);

test('no sequences: nothing is asked for', async () => {
  const { model, asked } = await lazyModel();
  expect((await model.hiddenStates({ input_ids: [] }))[0].shape).toEqual([0, 0, 64]);
  expect(asked).toEqual([]);
});

test.each(['float32', 'float16', 'bfloat16', 'int8', 'int4'] as const)('%s tables: the same bits', async (dtype) => {
  const values = dtype === 'float32' ? whole : await packed(dtype);
  const wanted = await loadModel(Object.assign(new Map(values), { metadata }));
  const { model, read } = await lazyModel(values);
  for (const given of [inputs, other, { input_ids: [inputs.input_ids[0], other.input_ids[0]] }]) {
    expect(await model.hiddenStates(given)).toEqual(await wanted.hiddenStates(given));
    expect(await model.logits(given)).toEqual(await wanted.logits(given));
  }
  expect(read.filter((name) => /(word|position)_embeddings.*(weight|scale|zero_point|int_repr)$/.test(name))).toEqual(
    [],
  );
});

test('each table is asked once a batch, for rows that are not there yet, in ascending order', async () => {
  const { model, asked } = await lazyModel();
  await model.logits(inputs);
  expect(rowsAsked(asked.splice(0))).toEqual([
    [TABLES[1], 0, 1, 2, 3, 4],
    [TABLES[0], 2, 3, 17, 300],
  ]);
  await model.hiddenStates(inputs);
  expect(asked).toEqual([]);
  await model.meanPooled(other);
  expect(rowsAsked(asked)).toEqual([
    [TABLES[1], 5],
    [TABLES[0], 996],
  ]);
});

test('the parts of a quantized table come from one call', async () => {
  const { model, asked } = await lazyModel(await packed('int8'));
  await model.logits(inputs);
  expect(asked.map(({ names }) => names.map((name) => name.split('_packed_weight.')[1]))).toEqual(
    Array(2).fill(['scale', 'zero_point', 'int_repr']),
  );
});

test('two calls at once fetch each row once', async () => {
  const { model, asked } = await lazyModel();
  const [a, b] = await Promise.all([model.logits(inputs), model.logits(other)]);
  expect(rowsAsked(asked)).toEqual([
    [TABLES[1], 0, 1, 2, 3, 4],
    [TABLES[0], 2, 3, 17, 300],
    [TABLES[1], 5],
    [TABLES[0], 996],
  ]);
  expect([a, b]).toEqual([wantedLogits, await wholeModel.logits(other)]);
});

describe('abort', () => {
  const never = () => new Promise<void>(() => {});

  test('a call does not wait for a store that hangs, whose signal aborts; the next call asks again', async () => {
    let wait = never;
    const { model, asked } = await lazyModel(whole, () => wait());
    const controller = new AbortController();
    const call = model.logits(inputs, { signal: controller.signal });
    expect(asked.map(({ signal }) => signal?.aborted)).toEqual([false, false]);
    const since = performance.now();
    controller.abort();
    expect(await codeOf(() => call)).toBe('aborted');
    expect(performance.now() - since).toBeLessThan(100);
    expect(asked.splice(0).map(({ signal }) => signal?.aborted)).toEqual([true, true]);
    wait = async () => {};
    expect(await model.logits(inputs)).toEqual(wantedLogits);
    expect(asked).toHaveLength(2);
  });

  test('of one call leaves the rows to another one that waits for them', async () => {
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { model, asked } = await lazyModel(whole, () => gate);
    const controller = new AbortController();
    const first = model.logits(inputs, { signal: controller.signal });
    const second = model.logits(inputs);
    controller.abort();
    expect(await codeOf(() => first)).toBe('aborted');
    go();
    expect(await second).toEqual(wantedLogits);
    expect(asked).toHaveLength(2);
  });

  test('before the call: nothing is asked for', async () => {
    const { model, asked } = await lazyModel();
    expect(await codeOf(() => model.logits(inputs, { signal: AbortSignal.abort() }))).toBe('aborted');
    expect(asked).toEqual([]);
  });

  test('of the load does not wait for a store that hangs', async () => {
    const controller = new AbortController();
    const store = rowStore(whole, never);
    const loading = loadModel(Object.assign(store, { metadata }), { lazyEmbeddings: true, signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    expect(await codeOf(() => loading)).toBe('aborted');
  });
});

test.each([
  ['of the store', new PruneError('corrupt', { where: 'a.prune', what: 'bad', tensor: 'w' }), 'a.prune', 'w'],
  ['that does not say where', new Error('gone'), 'bert-infer', TABLES[0]],
])('an error %s reaches every call that waits, and the next call asks again', async (_, error, where, name) => {
  let fails = true;
  const { model, asked } = await lazyModel(whole, ({ names }) => {
    if (fails && names[0] === TABLES[0]) throw error;
  });
  const calls = await Promise.allSettled([model.logits(inputs), model.meanPooled(inputs)]);
  const reason = expect.objectContaining({ where, tensor: name });
  expect(calls).toEqual(Array(2).fill({ status: 'rejected', reason }));
  fails = false;
  asked.splice(0);
  expect(await model.logits(inputs)).toEqual(wantedLogits);
  // The positions came the first time.
  expect(rowsAsked(asked)).toEqual([[TABLES[0], 2, 3, 17, 300]]);
});

test('a store that was closed too early', async () => {
  const { model } = await lazyModel(whole, () => {
    throw new PruneError('invalid-argument', { where: 'a.prune', what: 'the store is closed' });
  });
  await expect(model.logits(inputs)).rejects.toMatchObject({
    code: 'invalid-argument',
    where: 'a.prune',
    what: 'the store is closed',
    wanted: expect.stringContaining('lazyEmbeddings'),
  });
});

test('a store that gives rows of another shape', async () => {
  const { model, store } = await lazyModel();
  store.selectRows = async () => [tensor('float32', [1, 64], new Float32Array(64))];
  expect(await codeOf(() => model.logits(inputs))).toBe('mismatch');
});

test.each<[string, JsonObject, number]>([
  ['a larger vocabulary', { vocab_size: 998 }, 0],
  ['more positions', { max_position_embeddings: 129 }, 1],
  ['another hidden size', { hidden_size: 128 }, 0],
])('%s than the config says, before rows are asked for', async (_, change, table) => {
  for (const values of [whole, await packed('int4')]) {
    const store = rowStore(values);
    const config = { ...goldenConfig('tiny'), ...change };
    const loading = loadModel(store, { config, lazyEmbeddings: true });
    await expect(loading).rejects.toMatchObject({
      code: 'mismatch',
      tensor: expect.stringContaining([WORDS, POSITIONS][table]),
    });
    expect(store.asked.filter(({ names }) => names[0].startsWith([WORDS, POSITIONS][table]))).toEqual([]);
  }
});

test('a table that is not of floats is refused by the load', async () => {
  const { shape, data } = whole.get(TABLES[1]) as Tensor;
  const values = new Map<string, Elementary>(whole).set(TABLES[1], tensor('int32', shape, new Int32Array(data.length)));
  const loading = loadModel(Object.assign(rowStore(values), { metadata }), { lazyEmbeddings: true });
  await expect(loading).rejects.toMatchObject({ code: 'unsupported', tensor: TABLES[1] });
});

test('stores that have whole tables only: these are read', async () => {
  const stores = [new Map(whole), { ...rowStore(whole), selectRows: async () => undefined }];
  for (const store of stores) {
    const model = await loadModel(Object.assign(store, { metadata }), { lazyEmbeddings: true });
    expect(model.info.lazyEmbeddings).toBe(false);
    expect(await model.logits(inputs)).toEqual(wantedLogits);
  }
});

test('tables that are handed in are read whole', async () => {
  const without = new Map([...whole].filter(([name]) => !name.includes('embeddings')));
  const embeddings = readSafetensors(goldenPath('tiny/model.safetensors'));
  const { model, asked } = await lazyModel(without, undefined, { embeddings });
  expect(model.info.lazyEmbeddings).toBe(false);
  expect(await model.logits(inputs)).toEqual(wantedLogits);
  expect(asked).toEqual([]);
});

test('a masked LM whose decoder is tied to the word table has this table whole', async () => {
  const golden = readNpz(fileURLToPath(new URL('../golden/heads.npz', import.meta.url)));
  const config: JsonObject = JSON.parse(golden.get('bert-mlm.config') as string);
  const parameters = new Map<string, Tensor>();
  for (const [key, value] of golden) if (key.startsWith('bert-mlm.p.')) parameters.set(key.slice(11), value as Tensor);
  parameters.delete('cls.predictions.decoder.weight');
  const wanted = await loadModel(parameters, { config });
  const { model, asked } = await lazyModel(parameters, undefined, { config });
  const given = { input_ids: [[1, 2, 3]] };
  expect(await model.logits(given)).toEqual(await wanted.logits(given));
  expect(rowsAsked(asked)).toEqual([[TABLES[1], 0, 1, 2]]);
  expect(model.info.lazyEmbeddings).toBe(true);
});

describe('memory', () => {
  test('of the rows that are kept', async () => {
    const { model } = await lazyModel();
    const { typeVocabSize, hiddenSize } = model.config;
    const rowBytes = 4 * hiddenSize;
    expect(model.info).toMatchObject({ lazyEmbeddings: true, memory: { embeddings: typeVocabSize * rowBytes } });
    await model.logits(inputs);
    expect(model.info.memory.embeddings).toBe((typeVocabSize + 4 + 5) * rowBytes);
    await model.close();
    expect(model.info).toMatchObject({ lazyEmbeddings: false, memory: { embeddings: 0 } });
  });
  test('a model without lazy tables says so', async () => {
    expect((await loadModel(Object.assign(rowStore(whole), { metadata }))).info.lazyEmbeddings).toBe(false);
  });
});

test('close waits for a call that is fetching, and refuses later ones', async () => {
  let go = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const { model, asked } = await lazyModel(whole, () => gate);
  const call = model.logits(inputs);
  const closing = model.close();
  expect(await codeOf(() => model.logits(inputs))).toBe('invalid-argument');
  expect(await codeOf(() => model.loadEmbeddings())).toBe('invalid-argument');
  go();
  expect(await call).toEqual(wantedLogits);
  await closing;
  expect(asked).toHaveLength(2);
});

describe('loadEmbeddings', () => {
  test.each(['float32', 'int4'] as const)('%s: the tables are read once, and rows never again', async (dtype) => {
    const values = dtype === 'float32' ? whole : await packed(dtype);
    const { model, asked, read } = await lazyModel(values);
    const before = await model.logits(inputs);
    asked.splice(0);
    read.splice(0);
    await Promise.all([model.loadEmbeddings(), model.loadEmbeddings()]);
    await model.loadEmbeddings();
    expect(read).toHaveLength(new Set(read).size);
    expect([model.info.lazyEmbeddings, model.info.memory.embeddings]).toEqual([
      false,
      (await loadModel(Object.assign(new Map(values), { metadata }))).info.memory.embeddings,
    ]);
    expect(await model.logits(inputs)).toEqual(before);
    await model.logits(other);
    expect(asked).toEqual([]);
  });

  test('a model whose tables are whole has nothing to do', async () => {
    const store = Object.assign(rowStore(whole), { metadata });
    const model = await loadModel(store);
    store.read.splice(0);
    await model.loadEmbeddings();
    expect(store.read).toEqual([]);
  });

  test('close stops it', async () => {
    const { model, store } = await lazyModel();
    store.get = () => new Promise(() => {});
    const loading = model.loadEmbeddings();
    const closing = model.close();
    expect(await codeOf(() => loading)).toBe('aborted');
    await closing;
  });

  test('calls go on meanwhile; after an abort or an error the tables stay in the store', async () => {
    const { model, store, asked } = await lazyModel();
    const { get } = store;
    store.get = () => new Promise(() => {});
    const controller = new AbortController();
    const loading = model.loadEmbeddings({ signal: controller.signal });
    expect(await model.logits(inputs)).toEqual(wantedLogits);
    controller.abort();
    expect(await codeOf(() => loading)).toBe('aborted');
    expect(await codeOf(() => model.loadEmbeddings({ signal: AbortSignal.abort() }))).toBe('aborted');
    store.get = () => {
      throw new PruneError('truncated', { what: 'cut' });
    };
    expect(await codeOf(() => model.loadEmbeddings())).toBe('truncated');
    expect(model.info.lazyEmbeddings).toBe(true);
    await model.logits(other);
    expect(asked).toHaveLength(4);
    store.get = get;
    await model.loadEmbeddings();
    expect(model.info.lazyEmbeddings).toBe(false);
    expect(await model.logits(inputs)).toEqual(wantedLogits);
  });
});
