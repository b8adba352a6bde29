import { type Elementary, PruneError, type Tensor } from '@prune/core';
import { decompose } from '@prune/csr';
import { codeOf, goldenPath } from '@prune/fixtures';
import { createEngine, type Engine, type Thread, type ThreadHost } from '@prune/kernels';
import { workerThreads } from '@prune/kernels/node';
import { dequantizeEmbedding, linearModules, quantizeDynamic } from '@prune/quant';
import { describe, expect, test, vi } from 'vitest';
import { goldenConfig, goldenModel } from '../../test/golden-model.js';
import { readSafetensors } from '../../test/read-safetensors.js';
import { loadModel } from './load-model.js';

const inputs = {
  input_ids: [
    [2, 17, 300, 3],
    [2, 9, 3, 0],
  ],
  attention_mask: [
    [1, 1, 1, 1],
    [1, 1, 1, 0],
  ],
};

test('a path is not a store, which is said with what opens one', async () => {
  const path = 'x.prune' as unknown as Parameters<typeof loadModel>[0];
  await expect(loadModel(path)).rejects.toMatchObject({
    code: 'invalid-argument',
    got: '"x.prune"',
    wanted: expect.stringContaining('@prune/model-files/node'),
  });
});

describe('no sequences', async () => {
  const model = await loadModel(goldenModel('narrow'));
  test('logits', async () => {
    const { start_logits, end_logits } = await model.logits({ input_ids: [] }, { head: 'question-answering' });
    expect([start_logits.shape, end_logits.shape]).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
  test('hidden states and means', async () => {
    expect((await model.hiddenStates({ input_ids: [] })).map(({ shape }) => shape)).toEqual(Array(4).fill([0, 0, 48]));
    expect((await model.meanPooled({ input_ids: [] })).shape).toEqual([0, 48]);
  });
});

describe('padding', async () => {
  const rowwise = await loadModel(goldenModel('narrow'), { rowwise: true });
  test('skipped: outputs there are 0, and each sequence is as if alone when activations are quantized per row', async () => {
    const together = (await rowwise.hiddenStates(inputs)).at(-1)!;
    const alone: Float32Array[] = [];
    for (const row of inputs.input_ids) {
      const length = inputs.attention_mask[alone.length].lastIndexOf(1) + 1;
      alone.push((await rowwise.hiddenStates({ input_ids: [row.slice(0, length)] })).at(-1)!.data);
    }
    const gap = new Float32Array(48);
    expect(together.data).toEqual(Float32Array.from([...alone[0], ...alone[1], ...gap]));
  });
  test('computed: the same where it is attended to, per row', async () => {
    const skipped = await rowwise.logits(inputs, { head: 'question-answering' });
    const computed = await rowwise.logits(inputs, { head: 'question-answering', padding: 'compute' });
    expect(computed.start_logits.data.subarray(0, 7)).toEqual(skipped.start_logits.data.subarray(0, 7));
    expect(computed.start_logits.data[7]).not.toBe(0);
  });
  test('rows of different lengths need no mask', async () => {
    const model = await loadModel(goldenModel('narrow'));
    const ragged = { input_ids: [inputs.input_ids[0], inputs.input_ids[1].slice(0, 3)] };
    expect(await model.logits(ragged)).toEqual(await model.logits(inputs));
  });
});

describe('embeddings', () => {
  const floats = readSafetensors(goldenPath('tiny/model.safetensors'));
  const whole = goldenModel('tiny');
  const without = Object.assign(new Map([...whole].filter(([name]) => !name.includes('embeddings'))), {
    metadata: whole.metadata,
  });

  test('missing, and said so', async () => {
    expect(await codeOf(() => loadModel(without))).toBe('missing');
  });
  test.each(['bert.', ''])('handed in, under the prefix %j', async (prefix) => {
    const handed = new Map([...floats].map(([name, tensor]) => [name.replace(/^bert\./, prefix), tensor]));
    const model = await loadModel(without, { embeddings: handed });
    expect(await model.logits(inputs)).toEqual(await (await loadModel(whole)).logits(inputs));
  });
  test.each(['int8', 'int4'] as const)('%s rows give what their table dequantized gives', async (embeddings) => {
    const packed = new Map<string, Elementary>(without);
    const modules = linearModules(goldenConfig('tiny'), floats);
    const tables = new Map<string, Tensor>();
    const quantized = quantizeDynamic(floats, { ...modules, embeddings });
    for (const name of quantized.keys()) {
      const entry = await quantized.get(name);
      if (!name.includes('embeddings') || entry === undefined) continue;
      for await (const [part, value] of decompose(new Map([[name, entry]]))) packed.set(part, value);
      if ('kind' in entry && entry.kind === 'embedding') tables.set(`${name}.weight`, dequantizeEmbedding(entry));
      else tables.set(name, entry as Tensor);
    }
    expect(tables.size).toBe(5);
    const model = await loadModel(Object.assign(packed, { metadata: whole.metadata }));
    const dense = await loadModel(without, { embeddings: tables });
    expect(await model.logits(inputs)).toEqual(await dense.logits(inputs));
  });
});

test('float weights compute in float32', async () => {
  const model = await loadModel(readSafetensors(goldenPath('tiny/model.safetensors')), {
    config: goldenConfig('tiny'),
  });
  expect(model.profile).toBe('float32');
});

test("the profile is the file's unless another is asked for", async () => {
  const store = goldenModel('tiny');
  const old = Object.assign(store, { metadata: { ...store.metadata, profile: 'fbgemm-1.5' as const } });
  expect((await loadModel(old)).profile).toBe('fbgemm-1.5');
  expect((await loadModel(old, { profile: 'qnnpack' })).profile).toBe('qnnpack');
});

test('a head that the model does not have', async () => {
  const model = await loadModel(goldenModel('tiny'));
  expect(model.heads).toEqual(['question-answering']);
  expect(await codeOf(() => model.logits(inputs, { head: 'masked-lm' }))).toBe('missing');
});

test.each(['fbgemm', 'qnnpack'] as const)('logits that overflow are not-finite: %s', async (profile) => {
  const store = goldenModel('narrow');
  const name = 'qa_outputs._packed_params.weight.scale';
  expect(store.get(name)).toMatchObject({ dtype: 'float64', shape: [] });
  store.set(name, { dtype: 'float64', shape: [], data: Float64Array.of(3.4e38) });
  const model = await loadModel(store, { profile });
  await expect(model.logits(inputs)).rejects.toMatchObject({ code: 'not-finite', tensor: 'qa_outputs' });
  // What does not need the head goes on.
  expect((await model.meanPooled(inputs)).data.every(Number.isFinite)).toBe(true);
});

test('a model without any head', async () => {
  const store = goldenModel('tiny');
  for (const name of store.keys()) if (name.startsWith('qa_outputs')) store.delete(name);
  const model = await loadModel(store);
  expect(model.heads).toEqual([]);
  expect(await codeOf(() => model.logits(inputs))).toBe('missing');
  expect((await model.meanPooled(inputs)).shape).toEqual([2, 64]);
});

test.each<[string, object, string]>([
  ['another hidden size', { hidden_size: 128 }, 'mismatch'],
  ['another vocabulary', { vocab_size: 998 }, 'mismatch'],
  ['more positions', { max_position_embeddings: 129 }, 'mismatch'],
  ['more layers', { num_hidden_layers: 3 }, 'missing'],
  ['a narrower feed-forward layer', { intermediate_size: 255 }, 'mismatch'],
  ['another number of pruned heads', { pruned_heads: { 1: [0, 1] } }, 'mismatch'],
  ['no head left', { pruned_heads: { 0: [0, 1, 2, 3] } }, 'mismatch'],
  ['heads of another size', { num_attention_heads: 2, pruned_heads: { 0: [1] } }, 'mismatch'],
  ['another family', { model_type: 'distilbert' }, 'missing'],
])('a config of %s', async (_, change, code) => {
  expect(await codeOf(() => loadModel(goldenModel('tiny'), { config: { ...goldenConfig('tiny'), ...change } }))).toBe(
    code,
  );
});

test.each([
  ['path', 'model.prune', '"model.prune"'],
  ['promise', Promise.resolve(new Map()), '[object Promise]'],
  ['open-checkpoint', { tensors: new Map(), metadata: {} }, '[object Object]'],
  ['nothing', undefined, '[object Undefined]'],
])('what is not an open store: %s', async (_case, store, got) => {
  await expect(loadModel(store as unknown as Map<string, never>)).rejects.toMatchObject({
    code: 'invalid-argument',
    got,
  });
});

test('no config', async () => {
  expect(await codeOf(() => loadModel(new Map()))).toBe('missing');
});

test.each([
  ['nnz that is not there', 'data', (data: Int8Array) => data.subarray(1)],
  ['a column outside', 'indices', (data: Uint16Array) => data.map((c, i) => (i === data.length - 1 ? 60_000 : c))],
  ['rows that fall', 'indptr', (data: Int32Array) => data.map((p, i) => (i === 2 ? 0 : p))],
] as [string, string, (data: never) => Tensor['data']][])('a store that lies: %s', async (_, part, change) => {
  const store = goldenModel('tiny');
  const name = `bert.encoder.layer.1.output.dense._packed_params.weight.int_repr.${part}`;
  const tensor = store.get(name) as Tensor;
  const data = change(tensor.data as never);
  store.set(name, { ...tensor, shape: [data.length], data } as Tensor);
  expect(await codeOf(() => loadModel(store))).toMatch(/corrupt|mismatch/);
});

describe('the engine', () => {
  /** Threads of Node, and those of them that run. */
  function watchedThreads(): { threadHost: ThreadHost; running: Set<Thread> } {
    const running = new Set<Thread>();
    const start: ThreadHost['start'] = async (given) => {
      const thread = await workerThreads.start(given);
      running.add(thread);
      return {
        async stop() {
          running.delete(thread);
          await thread.stop();
        },
      };
    };
    return { threadHost: { start }, running };
  }

  test('of its own: its threads end with the model, and when the model cannot be loaded', async () => {
    const { threadHost, running } = watchedThreads();
    const engine = { threads: 3, threadHost };
    const model = await loadModel(goldenModel('tiny'), { engine });
    expect(running.size).toBe(2);
    await model.close();
    expect(running.size).toBe(0);
    const broken = goldenModel('tiny');
    broken.delete('qa_outputs._packed_params.weight.scale');
    expect(await codeOf(() => loadModel(broken, { engine }))).toBe('missing');
    expect(running.size).toBe(0);
  });
  test('that was given is left alone', async () => {
    const engine: Engine = await createEngine();
    const close = vi.spyOn(engine, 'close');
    const model = await loadModel(goldenModel('tiny'), { engine });
    await model.close();
    expect(close).not.toHaveBeenCalled();
    const again = await loadModel(goldenModel('tiny'), { engine });
    expect((await again.meanPooled(inputs)).shape).toEqual([2, 64]);
  });
});

test('the tokenizer is read when it is asked for, and missing where there is none', async () => {
  expect(await codeOf(async () => (await loadModel(goldenModel('tiny'))).tokenizer())).toBe('missing');
});

test('a tokenizer that could not be read is read again by whoever asks again', async () => {
  const vocabulary = new TextEncoder().encode(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a'].join('\n'));
  let isDown = true;
  const files = {
    keys: () => ['vocab.txt'].values(),
    async get(name: string) {
      if (isDown) throw new PruneError('io', { what: 'the network is down' });
      return name === 'vocab.txt' ? vocabulary : undefined;
    },
  };
  const store = goldenModel('tiny');
  const model = await loadModel(Object.assign(store, { metadata: { ...store.metadata, files } }));
  expect(await codeOf(() => model.tokenizer())).toBe('io');
  isDown = false;
  const tokenizer = await model.tokenizer();
  expect(await model.tokenizer()).toBe(tokenizer);
});
