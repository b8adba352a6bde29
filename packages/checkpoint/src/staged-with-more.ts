import type { ReadableMap, Tensor } from '@prune/core';
import type { StagedCheckpoint } from './staged-checkpoint.js';
import { type OtherTensor, withMoreTensors } from './with-more-tensors.js';

/** A model at its stage, and float tensors besides. Throws as {@link withMoreTensors}. */
export function stagedWithMore(checkpoint: StagedCheckpoint, more: ReadonlyMap<string, OtherTensor>): StagedCheckpoint {
  if (more.size === 0) return checkpoint;
  if (checkpoint.stage === 'float') return { ...checkpoint, tensors: withMoreTensors(checkpoint.tensors, more) };
  if (checkpoint.stage === 'quantized') return { ...checkpoint, quantized: joined(checkpoint.quantized, more) };
  return { ...checkpoint, elementary: joined(checkpoint.elementary, more) };
}

function joined<V>(values: ReadableMap<V>, more: ReadonlyMap<string, OtherTensor>): ReadableMap<V | Tensor> {
  return {
    keys: () => [...values.keys(), ...more.keys()],
    async get(name) {
      const other = more.get(name);
      return other === undefined ? values.get(name) : other.from.get(other.name);
    },
  };
}
