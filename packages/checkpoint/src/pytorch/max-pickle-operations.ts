import type { Limits } from '@prune/core';

/** Opcodes that a state dict's pickle may have: torch writes 32 to 40 a tensor and up to 12 a module's version; 64 leaves room. */
export function maxPickleOperations(limits: Limits): number {
  return 64 * (limits.tensors + 100);
}
