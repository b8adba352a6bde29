import { toDense } from '@prune/csr';
import { SKIP_CONDITIONS } from '@prune/fixtures';
import { createEngine, type EncoderLayer, type Engine, type EngineOptions, type LayerLinear } from '@prune/kernels';
import { wideKernels, workerThreads } from '@prune/kernels/node';
import { describe, expect, test } from 'vitest';
import { compareModels } from '../src/compare/compare-models.js';
import { type LoadModelOptions, loadModel } from '../src/model/load-model.js';
import { goldenModel } from './golden-model.js';

const engines: [string, EngineOptions][] = [
  ['plain SIMD', { kernels: 'wasm-simd' }],
  ['2 threads', { threads: 2, threadHost: workerThreads }],
  ['3 threads, plain SIMD', { threads: 3, threadHost: workerThreads, kernels: 'wasm-simd' }],
];
const relaxed: [string, EngineOptions][] = [
  ['relaxed SIMD', { kernels: 'wasm-relaxed' }],
  ['wide', { kernels: 'wasm-wide' }],
];
// The wide kernels as they are meant to run, where this Node can.
wideKernels();
const modes: [string, LoadModelOptions][] = [
  ['fbgemm', {}],
  ['fbgemm-1.5', { profile: 'fbgemm-1.5' }],
  ['qnnpack', { profile: 'qnnpack' }],
  ['rows quantized alone', { rowwise: true }],
  ['16-bit attention', { attention: 'int16' }],
];

describe.each(engines)('%s', sameBitsOn);
describe.skipIf(SKIP_CONDITIONS['no-relaxed-simd']()).each(relaxed)('%s', sameBitsOn);

function sameBitsOn(_: string, options: EngineOptions) {
  test.each(modes)('%s: the same bits as the reference', async (_, mode) => {
    const engine = await createEngine(options);
    try {
      const model = await loadModel(goldenModel('narrow'), { ...mode, engine });
      const reference = await loadModel(goldenModel('narrow'), { ...mode, engine: { kernels: 'reference' } });
      // More batches than one: what runs later is compiled otherwise.
      expect(await compareModels(reference, model, { batches: 3, batchSize: 5, length: 37 })).toBeUndefined();
    } finally {
      await engine.close();
    }
  });
}

test.each(['auto', 'reference'] as const)('dense weights give the bits of sparse ones: %s', async (kernels) => {
  const engine = await createEngine({ kernels });
  let densified = 0;
  const dense = (linear: LayerLinear): LayerLinear => {
    if (linear.kind === 'float' || !('indptr' in linear.weight)) throw new Error('not a sparse Linear');
    densified++;
    return { ...linear, weight: toDense(linear.weight) };
  };
  async function* layersOf(layers: Iterable<EncoderLayer> | AsyncIterable<EncoderLayer>) {
    for await (const { attentionNorm, outputNorm, ...linears } of layers) {
      const { query, key, value, attentionOutput, intermediate, output } = linears;
      yield {
        ...{ attentionNorm, outputNorm },
        ...{ query: dense(query), key: dense(key), value: dense(value), attentionOutput: dense(attentionOutput) },
        ...{ intermediate: dense(intermediate), output: dense(output) },
      };
    }
  }
  const denseEngine: Engine = {
    ...engine,
    loadEncoder: (spec) => engine.loadEncoder({ ...spec, layers: layersOf(spec.layers) }),
  };
  const sparse = await loadModel(goldenModel('tiny'), { engine });
  const model = await loadModel(goldenModel('tiny'), { engine: denseEngine });
  expect(densified).toBe(12);
  expect(await compareModels(sparse, model, { batches: 2, batchSize: 3, length: 41 })).toBeUndefined();
  await engine.close();
});
