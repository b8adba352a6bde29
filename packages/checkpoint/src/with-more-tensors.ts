import { PruneError } from '@prune/core';
import type { Checkpoint } from './checkpoint.js';

/** A tensor of another checkpoint. */
export interface OtherTensor {
  readonly from: Checkpoint;
  readonly name: string;
}

/**
 * The tensors of a checkpoint, and others by the names that they get here. Whoever opened the others' checkpoints
 * closes them. Throws `mismatch` for a name that the checkpoint has.
 */
export function withMoreTensors(checkpoint: Checkpoint, more: ReadonlyMap<string, OtherTensor>): Checkpoint {
  const own = [...checkpoint.keys()];
  const taken = own.find((name) => more.has(name));
  if (taken !== undefined) {
    throw new PruneError('mismatch', { where: checkpoint.name, what: 'two tensors of one name', tensor: taken });
  }
  const place = (name: string): OtherTensor => more.get(name) ?? { from: checkpoint, name };
  return {
    name: checkpoint.name,
    format: checkpoint.format,
    keys: () => [...own, ...more.keys()],
    info: (name) => place(name).from.info(place(name).name),
    get: async (name) => place(name).from.get(place(name).name),
    pieces: (name) => place(name).from.pieces(place(name).name),
    close: () => checkpoint.close(),
  } satisfies Required<Checkpoint>;
}
