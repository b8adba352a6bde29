import { type Tensor, tensor } from '@prune/core';
import { goldenPath } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { goldenConfig } from '../../test/golden-model.js';
import { readSafetensors } from '../../test/read-safetensors.js';
import { loadModel } from '../model/load-model.js';

// `tiny` has 2 layers of 4 heads of 16 features, 64 in all, and 256 neurons.
const config = goldenConfig('tiny');
const LAYER = 'bert.encoder.layer.1';
const QUERY = `${LAYER}.attention.self.query`;
const KEY = `${LAYER}.attention.self.key`;
const VALUE = `${LAYER}.attention.self.value`;
const ATTENTION_OUTPUT = `${LAYER}.attention.output.dense`;
const INTERMEDIATE = `${LAYER}.intermediate.dense`;
const OUTPUT = `${LAYER}.output.dense`;
const inputs = { input_ids: [[1, 2, 3]] };

/** The model with Linears of other shapes in its last layer, without a nonzero weight, and the biases that fit them. */
function withShapes(shapes: Readonly<Record<string, readonly [rows: number, columns: number]>>): Map<string, Tensor> {
  const parameters = readSafetensors(goldenPath('tiny/model.safetensors'));
  for (const [module, [rows, columns]] of Object.entries(shapes)) {
    parameters.set(`${module}.weight`, tensor('float32', [rows, columns], new Float32Array(rows * columns)));
    const bias = parameters.get(`${module}.bias`)!;
    if (bias.shape[0] !== rows) parameters.set(`${module}.bias`, tensor('float32', [rows], new Float32Array(rows)));
  }
  return parameters;
}

function heads(width: number, neurons = 256) {
  return withShapes({
    [QUERY]: [width, 64],
    [KEY]: [width, 64],
    [VALUE]: [width, 64],
    [ATTENTION_OUTPUT]: [64, width],
    [INTERMEDIATE]: [neurons, 64],
    [OUTPUT]: [64, neurons],
  });
}

test('a layer without heads and neurons gives what weights of 0 give', async () => {
  const whole = await loadModel(heads(64), { config });
  const wanted = (await whole.hiddenStates(inputs)).at(-1)!;
  for (const [width, neurons] of [
    [16, 256],
    [48, 1],
    [0, 255],
    [0, 0],
  ] as const) {
    const model = await loadModel(heads(width, neurons), { config });
    const got = (await model.hiddenStates(inputs)).at(-1)!;
    expect(got, `${width} features, ${neurons} neurons`).toEqual(wanted);
  }
});

test.each([
  { shapes: { [QUERY]: [40, 64] }, at: QUERY, got: '[40, 64]', wanted: 'whole heads of 16' },
  { shapes: { [QUERY]: [80, 64] }, at: QUERY, got: '[80, 64]', wanted: 'whole heads of 16' },
  { shapes: { [QUERY]: [48, 64] }, at: KEY, got: '[64, 64]', wanted: `[48, 64] by the rows of ${QUERY}` },
  { shapes: { [VALUE]: [48, 64] }, at: VALUE, got: '[48, 64]', wanted: `[64, 64] by the rows of ${QUERY}` },
  {
    shapes: { [ATTENTION_OUTPUT]: [64, 48] },
    at: ATTENTION_OUTPUT,
    got: '[64, 48]',
    wanted: `by the rows of ${QUERY}`,
  },
  {
    shapes: { [INTERMEDIATE]: [257, 64] },
    at: INTERMEDIATE,
    got: '[257, 64]',
    wanted: '[256, 64] by the config, or fewer',
  },
  { shapes: { [INTERMEDIATE]: [255, 64] }, at: OUTPUT, got: '[64, 256]', wanted: `by the rows of ${INTERMEDIATE}` },
  { shapes: { [INTERMEDIATE]: [256, 63] }, at: INTERMEDIATE, got: '[256, 63]', wanted: '[any, 64] by the config' },
] as { shapes: Record<string, [number, number]>; at: string; got: string; wanted: string }[])(
  'mismatch: $shapes',
  async ({ shapes, at, got, wanted }) => {
    await expect(loadModel(withShapes(shapes), { config })).rejects.toMatchObject({
      code: 'mismatch',
      tensor: expect.stringContaining(at),
      got,
      wanted: expect.stringContaining(wanted),
    });
  },
);

test('pruned_heads that says another number than the matrices have', async () => {
  const pruned = { ...config, pruned_heads: { 1: [3, 0] } };
  const model = await loadModel(heads(32, 100), { config: pruned });
  expect(model.config.prunedHeads).toEqual(new Map([[1, 2]]));
  expect(model.info.layers).toEqual([
    { heads: 4, intermediateSize: 256 },
    { heads: 2, intermediateSize: 100 },
  ]);
  await expect(loadModel(heads(48), { config: pruned })).rejects.toMatchObject({
    code: 'mismatch',
    tensor: QUERY,
    got: '[48, 64]',
    wanted: '[32, 64] by pruned_heads of the config',
  });
});
