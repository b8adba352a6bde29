import { PruneError, type SentenceModule, type SentencePipeline, type Tensor } from '@prune/core';
import type { LoadedLinear } from '@prune/kernels';
import type { PackedBatch } from '../batch/pack-batch.js';
import type { LoadLinear } from '../heads/head.js';
import { tanh } from '../math/tanh.js';
import type { ModuleReader } from '../weights/read-modules.js';
import { normalizeRows } from './normalize-rows.js';
import { poolTokens } from './pool-tokens.js';

/** From the last hidden states, float32 `[tokens, hiddenSize]`, to one embedding a sequence, `[batch, width]`. */
export type SentenceEmbedder = (hidden: Float32Array, batch: PackedBatch) => Tensor<'float32'>;

/** What a model does that says nothing of sentences. */
const MEAN: readonly SentenceModule[] = [{ kind: 'pooling', modes: ['mean'] }];

/**
 * Loads the modules of sentence-transformers that follow the transformer; without any, the mean over all tokens is
 * taken. Throws `mismatch` for a Dense module that does not fit what comes before it, and `missing` for its weights.
 */
export async function loadSentence(
  pipeline: SentencePipeline | undefined,
  modules: ModuleReader,
  hiddenSize: number,
  load: LoadLinear,
): Promise<SentenceEmbedder> {
  const steps: ((data: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>)[] = [];
  const [pooling, ...rest] = pipeline?.modules ?? MEAN;
  const modes = pooling?.kind === 'pooling' ? pooling.modes : [];
  let width = modes.length * hiddenSize;
  for (const module of rest) {
    if (module.kind === 'normalize') {
      const rowWidth = width;
      steps.push((data) => {
        normalizeRows(data, rowWidth);
        return data;
      });
    } else if (module.kind === 'dense') {
      const name = `${module.folder}.linear`;
      if (module.columns !== width) {
        throw new PruneError('mismatch', {
          where: `${module.folder}/config.json`,
          what: 'in_features',
          got: module.columns,
          wanted: `${width}, what the module before it gives`,
        });
      }
      const linear = load(await modules.linear(name, module.rows, module.columns), name);
      steps.push((data) => activated(linear, module.activation, data));
      width = module.rows;
    }
  }
  return (hidden, batch) => {
    const pooled = poolTokens(hidden, batch, hiddenSize, modes);
    const data = steps.reduce((rows, step) => step(rows), pooled);
    return { dtype: 'float32', shape: [batch.batch, width], data };
  };
}

function activated(linear: LoadedLinear, activation: 'identity' | 'tanh' | 'relu', x: Float32Array) {
  const y = linear.apply(x) as Float32Array<ArrayBuffer>;
  if (activation === 'identity') return y;
  return y.map(activation === 'tanh' ? tanh : (value) => Math.max(value, 0));
}
