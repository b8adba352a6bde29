import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type BertModel, loadModel } from '@prune/bert-infer';
import { openStagedFile } from '@prune/checkpoint';
import type { Elementary, JsonObject, Tensor } from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import { packQuantized } from '@prune/model-files';
import { expect, test } from 'vitest';
import { runPrune } from './run-prune.js';

const expected = readNpz(goldenPath('onnx/expected.npz'));

/**
 * The largest difference from onnxruntime: both compute in float32, and add in other orders. The largest that was seen
 * is 2.7e-6, of hidden states of up to 3.
 */
const LAST_BITS = 6e-6;

test.each([
  ...['qa', 'qa-sdpa', 'qa-dynamo', 'qa-optimum', 'sequence', 'token', 'token-dynamo', 'mlm', 'base', 'base-fused'],
  ...['sequence-fused', 'bertclass', 'robclass'],
])('%s: the outputs are those of onnxruntime', async (file) => {
  const bytes = gunzipSync(readFileSync(goldenPath(`onnx/${file}.onnx.gz`)));
  const checkpoint = await openStagedFile(bytes, { name: file });
  if (checkpoint.stage !== 'float') throw new Error(checkpoint.stage);
  const name = expected.get(`${file}.model`) as string;
  const given: JsonObject = JSON.parse(expected.get(`${name}.config`) as string);
  // The graph tells the head and the activation, and config.json the labels.
  const model = await loadModel(checkpoint.tensors, { config: { ...checkpoint.config, id2label: given.id2label } });
  expect(await largestDifference(model, file)).toBeLessThanOrEqual(LAST_BITS);
  await model.close();
  await checkpoint.close();
});

/**
 * Of dynamically quantized models whose outputs do not depend on the processor: with weights of 7 bits, no sum of two
 * products saturates. A last bit that moves in LayerNorm or softmax can move an activation by one code, as in
 * `base-reduced`.
 */
test.each([
  ['sequence-reduced', LAST_BITS],
  ['base-reduced', 0.05],
])('%s: its integers and the profile onnxruntime give what onnxruntime gives', async (file, tolerance) => {
  const bytes = gunzipSync(readFileSync(goldenPath(`onnx/${file}.onnx.gz`)));
  const checkpoint = await openStagedFile(bytes, { name: file });
  if (checkpoint.stage !== 'quantized') throw new Error(checkpoint.stage);
  const { config, profile } = checkpoint;
  const { entries, metadata } = packQuantized({ ...checkpoint, metadata: { config, profile } });
  const stored = new Map<string, Elementary>();
  for await (const [name, value] of entries) stored.set(name, value);
  await checkpoint.close();
  const given: JsonObject = JSON.parse(expected.get(`${expected.get(`${file}.model`)}.config`) as string);
  const model = await loadModel(Object.assign(stored, { metadata }), {
    config: { ...config, id2label: given.id2label },
  });
  expect(model.info.profile).toBe('onnxruntime');
  expect(await largestDifference(model, file)).toBeLessThanOrEqual(tolerance);
  await model.close();
});

/** The largest difference of any number of the model's outputs from what onnxruntime gave. */
async function largestDifference(model: BertModel, file: string): Promise<number> {
  const name = expected.get(`${file}.model`) as string;
  const [input_ids, attention_mask, types] = ['ids', 'mask', 'types'].map((key) => rowsOf(`${name}.${key}`));
  const inputs = { input_ids, attention_mask, token_type_ids: model.config.family === 'bert' ? types : undefined };
  const outputs = Object.entries(
    model.heads.length === 0
      ? { last_hidden_state: (await model.hiddenStates(inputs, { padding: 'compute' })).at(-1)! }
      : await model.logits(inputs, { padding: 'compute' }),
  ).filter((entry): entry is [string, Tensor] => typeof entry[1] === 'object');
  expect(outputs.length).toBe(name === 'qa' ? 2 : 1);
  const differences = outputs.map(([key, output]) => {
    const wanted = expected.get(`${file}.y.${key}`) as Tensor;
    expect(output.shape, key).toEqual(wanted.shape);
    return Math.max(...Array.from(output.data as Float32Array, (value, i) => Math.abs(value - Number(wanted.data[i]))));
  });
  if (process.env.PRUNE_REPORT) console.log(file, ...differences);
  return Math.max(...differences);
}

function rowsOf(name: string): number[][] {
  const { shape, data } = expected.get(name) as Tensor;
  const [rows, width] = shape;
  return Array.from({ length: rows }, (_, row) => Array.from(data.subarray(row * width, (row + 1) * width), Number));
}

test('pack says what it does not take over from the graph', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'prune-onnx-'));
  try {
    const pack = (file: string) =>
      runPrune('pack', goldenPath(`onnx/${file}.onnx.gz`), '-o', join(folder, `${file}.prune`));
    const { status, stderr } = await pack('qa-qdq');
    expect(stderr).toMatch(/^note: the ONNX model quantizes activations with fixed ranges; .*\n$/);
    expect(status).toBe(0);
    expect(await pack('qa-int8')).toMatchObject({ status: 0, stderr: '' });
    const { stdout } = await runPrune('inspect', join(folder, 'qa-int8.prune'));
    expect(stdout).toContain('onnxruntime');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
