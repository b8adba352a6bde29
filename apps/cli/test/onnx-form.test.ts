import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { loadModel } from '@prune/bert-infer';
import { openStagedFile } from '@prune/checkpoint';
import { openCheckpoint, openStagedCheckpoint } from '@prune/checkpoint/node';
import { type Elementary, type JsonObject, type Tensor, writeStore } from '@prune/core';
import { goldenPath, modelPath, readNpz, SKIP_CONDITIONS, testPython } from '@prune/fixtures';
import { type PackOptions, packCheckpoint, packQuantized } from '@prune/model-files';
import { createStore, openModel, unpackModel } from '@prune/model-files/node';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'prune-onnx-form-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const expected = readNpz(goldenPath('onnx/expected.npz'));

/** Models of each family and head, by their golden graphs, and how they are packed. */
const MODELS: readonly (readonly [name: string, options: Partial<PackOptions>])[] = [
  ['qa', {}],
  ['qa', { perChannel: true }],
  ['sequence', {}],
  ['token', {}],
  ['mlm', {}],
  ['base', {}],
  ['bertclass', {}],
  ['robclass', { embeddings: 'int8' }],
];

/** Packs a golden graph of floats, and unpacks the store as a graph of integers. Gives the paths of both. */
async function unpacked(name: string, options: Partial<PackOptions>) {
  const checkpoint = await openStagedFile(gunzipSync(readFileSync(goldenPath(`onnx/${name}.onnx.gz`))), { name });
  if (checkpoint.stage !== 'float') throw new Error(checkpoint.stage);
  const given: JsonObject = JSON.parse(expected.get(`${name}.config`) as string);
  const config = { ...given, ...checkpoint.config };
  const { tensors } = checkpoint;
  const packed = packCheckpoint({ tensors, metadata: { config } }, { profile: 'onnxruntime', ...options });
  const label = `${name}-${Object.keys(options).join()}`;
  const store = at(`${label}.prune`);
  await writeStore(await createStore(store, { codec: 'raw' }), packed.entries, packed.metadata);
  await checkpoint.close();
  return { store, graph: await unpackedAs(store, label), config };
}

async function unpackedAs(store: string, label: string): Promise<string> {
  const model = await openModel(store);
  await unpackModel(at(label), model, { form: 'onnx' });
  await model.close();
  return at(`${label}/model_quantized.onnx`);
}

test.each(MODELS)(
  '%s %o: the graph is read again, and every integer and scale in it is that of the store',
  async (name, options) => {
    const { store, graph } = await unpacked(name, options);
    const again = await openStagedCheckpoint(graph);
    if (again.stage !== 'quantized') throw new Error(again.stage);
    const read = new Map<string, Elementary>();
    for await (const [key, value] of packQuantized(again).entries) read.set(key, value);
    const model = await openModel(store);
    const { store: elementary } = model;
    const floats = await model.floats();
    const shared = [...elementary!.keys()].filter((key) => read.has(key));
    for (const key of shared) expect([key, read.get(key)]).toEqual([key, await elementary!.get(key)]);
    const rest = [...read.keys()].filter((key) => !shared.includes(key));
    // Quantized tables come back as floats.
    for (const key of rest) expect([key, read.get(key)]).toEqual([key, await floats.get(key)]);
    expect(rest).toHaveLength(options.embeddings === undefined ? 0 : 3);
    const linears = (keys: Iterable<string>) => [...keys].filter((key) => key.endsWith('int_repr.data'));
    expect(linears(elementary!.keys())).toEqual(linears(read.keys()));
    await model.close();
    await again.close();
  },
);

/**
 * The largest difference of an output from ours, relative to the largest output: both add floats in other orders. The
 * decoder of `mlm` is the word table, which stays float in the graph; our profile quantizes it.
 */
const LAST_BITS = 2e-6;
const FLOAT_DECODER = 0.02;

test.skipIf(SKIP_CONDITIONS['no-python-onnxruntime']())(
  'onnxruntime runs every graph, and computes what the profile onnxruntime computes',
  async () => {
    const ours: Map<string, Tensor>[] = [];
    const given: [string, Record<string, readonly (readonly number[])[]>][] = [];
    const add = async (store: string, graph: string, inputs: (typeof given)[0][1], config?: JsonObject) => {
      const opened = await openModel(store);
      const model = await loadModel(opened.store!, { config });
      const asked = { ...inputs, token_type_ids: model.config.family === 'bert' ? inputs.token_type_ids : undefined };
      const outputs =
        model.heads.length === 0
          ? { last_hidden_state: (await model.hiddenStates(asked as never, { padding: 'compute' })).at(-1)! }
          : await model.logits(asked as never, { padding: 'compute' });
      ours.push(
        new Map(Object.entries(outputs).filter((entry): entry is [string, Tensor] => typeof entry[1] === 'object')),
      );
      // RoBERTa has one type.
      const types = asked.token_type_ids ?? inputs.input_ids.map((row) => row.map(() => 0));
      given.push([graph, { ...inputs, token_type_ids: types }]);
      await model.close();
      await opened.close();
    };
    for (const [name, options] of MODELS) {
      const { store, graph, config } = await unpacked(name, { ...options, exclude: [] });
      await add(
        store,
        graph,
        {
          input_ids: rowsOf(`${name}.ids`),
          attention_mask: rowsOf(`${name}.mask`),
          token_type_ids: rowsOf(`${name}.types`),
        },
        config,
      );
    }
    const checkpoint = await openCheckpoint(modelPath('mini-qa'));
    const packed = packCheckpoint(checkpoint, { profile: 'onnxruntime' });
    await writeStore(await createStore(at('mini-qa.prune'), { codec: 'raw' }), packed.entries, packed.metadata);
    await checkpoint.close();
    // [CLS] who sat? [SEP] the cat sat on the mat. [SEP]
    const ids = [[101, 2040, 2938, 1029, 102, 1996, 4937, 2938, 2006, 1996, 13523, 1012, 102]];
    await add(at('mini-qa.prune'), await unpackedAs(at('mini-qa.prune'), 'mini-qa'), {
      input_ids: ids,
      attention_mask: [ids[0].map(() => 1)],
      token_type_ids: [ids[0].map((_, i) => Number(i > 4))],
    });
    writeFileSync(at('inputs.json'), JSON.stringify(given));
    const script = fileURLToPath(new URL('run_onnx_form.py', import.meta.url));
    const run = spawnSync(testPython(), [script, at('inputs.json')], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    expect(run.status, run.stderr).toBe(0);
    const theirs: Record<string, number[]>[] = JSON.parse(run.stdout);
    for (const [i, outputs] of ours.entries()) {
      for (const [name, { data }] of outputs) {
        const values = Array.from(data as Float32Array);
        const largest = Math.max(...values.map(Math.abs));
        const difference = Math.max(...values.map((value, at) => Math.abs(value - theirs[i][name][at]))) / largest;
        if (process.env.PRUNE_REPORT) console.log(given[i][0], name, difference);
        expect(difference, `${given[i][0]} ${name}`).toBeLessThanOrEqual(
          given[i][0].includes('mlm') ? FLOAT_DECODER : LAST_BITS,
        );
      }
    }
  },
  120_000,
);

function rowsOf(name: string): number[][] {
  const { shape, data } = expected.get(name) as Tensor;
  const [rows, width] = shape;
  return Array.from({ length: rows }, (_, row) => Array.from(data.subarray(row * width, (row + 1) * width), Number));
}
