import { memorySink } from '@prune/core';
import { codeOf, WRONG_ARGUMENTS } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import { applyMovementPruning } from '../apply-movement-pruning.js';
import { writeSafetensors } from '../write-safetensors.js';
import { openCheckpoint } from './open-checkpoint.js';
import { writeCheckpointFolder } from './write-checkpoint-folder.js';

const any = (value: unknown) => value as never;

const CALLS: Record<string, (value: unknown) => unknown> = {
  applyMovementPruning: (value) => applyMovementPruning(any(value), { method: 'topK', threshold: 0.5 }),
  'applyMovementPruning, options': (value) => applyMovementPruning(new Map(), any(value)),
  writeSafetensors: (value) => writeSafetensors(any(value), new Map()),
  'writeSafetensors, state dict': (value) => writeSafetensors(memorySink(), any(value)),
  'writeCheckpointFolder, model': (value) => writeCheckpointFolder('not-made', any(value)),
};

describe.each(Object.entries(CALLS))('%s', (_, call) => {
  test.each(Object.entries(WRONG_ARGUMENTS))('of %s: invalid-argument', async (_, value) => {
    expect(await codeOf(() => call(value))).toBe('invalid-argument');
  });
});

test.each(Object.entries(WRONG_ARGUMENTS).filter(([name]) => name !== 'a path'))(
  '%s in place of a path: invalid-argument',
  async (_, value) => {
    expect(await codeOf(() => openCheckpoint(any(value)))).toBe('invalid-argument');
    const model = { tensors: new Map(), metadata: {} };
    expect(await codeOf(() => writeCheckpointFolder(any(value), model))).toBe('invalid-argument');
  },
);
