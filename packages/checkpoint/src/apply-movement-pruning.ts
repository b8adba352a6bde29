import {
  checkReadableMap,
  headModules,
  PruneError,
  parameterNames,
  type StateDict,
  type Tensor,
  tensor,
} from '@prune/core';
import { hardConcreteMask, sigmoidThresholdMask, topKMask } from './pruning/masks.js';
import { widenToFloat32 } from './widen-to-float32.js';

/** How a matrix is masked; the names (and the spelling) of Hugging Face's movement-pruning code. */
export const PRUNING_METHODS = ['topK', 'sigmoied_threshold', 'magnitude', 'l0'] as const;

export type PruningMethod = (typeof PRUNING_METHODS)[number];

export interface MovementPruningOptions {
  readonly method: PruningMethod;
  /**
   * `topK`, `magnitude`: the fraction of each matrix that is kept. `sigmoied_threshold`: what sigmoid(score) must
   * exceed. 0 to 1; `l0` has none.
   */
  readonly threshold?: number;
}

// Masked models keep every LayerNorm and all modules outside the layers as plain modules, whatever the method. A weight
// with one of these components in its name is therefore never pruned.
const COPIED_MODULES = copiedModules();

/**
 * The state dict of a fine-pruned model as an ordinary one: each `X.weight` of the encoder masked by `X.mask_scores`
 * (by itself for `magnitude`), each matrix when it is read; the scores are not among the names. Embeddings,
 * LayerNorm, pooler, heads and biases are as they were. Masked weights are float32 `[rows, columns]`; -0 where a
 * negative one was pruned, as torch's product has it. Equal scores at the edge of topK: the first ones are kept (torch
 * before its vectorized sort; that one leaves it open).
 * Throws `invalid-argument`, `missing` for a weight without scores, `mismatch` for scores of another shape,
 * `not-finite` for NaN scores.
 * Source: movement-pruning/bertarize.py and emmental/modules/binarizer.py of Hugging Face transformers.
 */
export function applyMovementPruning(stateDict: StateDict, options: MovementPruningOptions): StateDict {
  checkReadableMap('checkpoint', 'state dict of applyMovementPruning', stateDict);
  const mask = maskOf(options ?? {});
  const names = [...stateDict.keys()].filter((name) => !isScores(name));
  const known = new Set(names);
  return {
    keys: () => names,
    async get(name) {
      if (!known.has(name)) return undefined;
      const weight = await stateDict.get(name);
      if (weight === undefined || !isPruned(name) || weight.shape.length !== 2) return weight;
      const dense = widenToFloat32(weight, { tensor: name });
      const scores = options.method === 'magnitude' ? magnitudes(dense) : await readScores(stateDict, name, weight);
      checkNumbers(scores, name);
      const masked = mask(scores);
      for (let i = 0; i < masked.length; i++) masked[i] *= dense.data[i];
      return tensor('float32', weight.shape, masked);
    },
    // A mask needs every score of its matrix, so a masked matrix is there as a whole only.
    pieces: (name) => (known.has(name) && !isPruned(name) ? stateDict.pieces?.(name) : undefined),
  } satisfies Required<StateDict>;
}

function maskOf({ method, threshold }: MovementPruningOptions): (scores: Float32Array) => Float32Array<ArrayBuffer> {
  if (!PRUNING_METHODS.includes(method)) {
    throw new PruneError('invalid-argument', {
      what: 'pruning method',
      got: String(method),
      wanted: PRUNING_METHODS.join(', '),
    });
  }
  if (method === 'l0') return hardConcreteMask;
  if (threshold === undefined || !(threshold >= 0 && threshold <= 1)) {
    throw new PruneError('invalid-argument', {
      what: `threshold of ${method}`,
      got: String(threshold),
      wanted: '0 to 1',
    });
  }
  if (method === 'sigmoied_threshold') return (scores) => sigmoidThresholdMask(scores, threshold);
  return (scores) => topKMask(scores, threshold);
}

function copiedModules(): ReadonlySet<string> {
  const { embeddingNorm, pooler } = parameterNames('bert', '');
  const [embeddings, layerNorm] = embeddingNorm.split('.');
  return new Set([embeddings, layerNorm, pooler!.split('.')[0], ...headModules('bert')]);
}

function isScores(name: string): boolean {
  return /(^|\.)mask_scores$/.test(name);
}

function isPruned(name: string): boolean {
  const parts = name.split('.');
  return parts.at(-1) === 'weight' && !parts.some((part) => COPIED_MODULES.has(part));
}

async function readScores(stateDict: StateDict, name: string, weight: Tensor): Promise<Float32Array> {
  const scoresName = name.replace(/weight$/, 'mask_scores');
  const scores = await stateDict.get(scoresName);
  if (scores === undefined)
    throw new PruneError('missing', { what: 'no scores for the weight', wanted: scoresName, tensor: name });
  if (scores.shape.join() !== weight.shape.join()) {
    throw new PruneError('mismatch', {
      what: 'shape of the scores',
      got: `[${scores.shape.join(', ')}]`,
      wanted: `[${weight.shape.join(', ')}]`,
      tensor: name,
    });
  }
  return widenToFloat32(scores, { tensor: scoresName }).data;
}

function magnitudes({ data }: Tensor<'float32'>): Float32Array {
  return data.map(Math.abs);
}

function checkNumbers(scores: Float32Array, tensor: string) {
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i])) throw new PruneError('not-finite', { what: `score ${i} is NaN`, tensor });
  }
}
