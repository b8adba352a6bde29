import { codeOf, WRONG_ARGUMENTS } from '@prune/fixtures';
import { expect, test } from 'vitest';
import { inspectStore } from '../inspect-store.js';
import { packCheckpoint } from '../pack-checkpoint.js';
import { createStore } from './create-store.js';
import { openModel, openStore } from './open-model.js';

const any = (value: unknown) => value as never;

test.each([...Object.entries(WRONG_ARGUMENTS), ['a state dict', new Map()] as const])(
  '%s in place of an open checkpoint or store, or of a path: invalid-argument',
  async (name, value) => {
    expect(await codeOf(() => packCheckpoint(any(value)))).toBe('invalid-argument');
    if (name !== 'a state dict') {
      expect(await codeOf(() => inspectStore(any(value), { path: '', bytes: 0 }))).toBe('invalid-argument');
    }
    if (name === 'a path') return;
    for (const call of [openModel, openStore, createStore]) {
      expect(await codeOf(() => call(any(value)))).toBe('invalid-argument');
    }
  },
);
