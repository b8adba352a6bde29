import { PruneError } from '@prune/core';
import { expect, test } from 'vitest';
import { createEngine } from './create-engine.js';
import type { Engine } from './engine.js';
import type { NativeEngines } from './native-engines.js';
import { nodeEngine } from './node.js';

const asked: unknown[] = [];
const native: NativeEngines = {
  async create(options) {
    asked.push(options);
    return { kernels: 'native-avx2' } as Engine;
  },
};
const missing: NativeEngines = { create: async () => undefined };
const broken: NativeEngines = {
  create: () => Promise.reject(new PruneError('unsupported', { where: 'kernels', what: 'cannot be loaded' })),
};

test('auto takes native kernels where they are, and threads are theirs', async () => {
  asked.length = 0;
  expect((await createEngine({ native, threads: 2 })).kernels).toBe('native-avx2');
  expect((await createEngine({ native, kernels: 'native-avx512' })).kernels).toBe('native-avx2');
  expect(asked).toEqual([
    { kernels: 'native', threads: 2 },
    { kernels: 'native-avx512', threads: 1 },
  ]);
});

test('other kernels, or WebAssembly of the caller, are taken as they are asked for', async () => {
  expect((await createEngine({ native, kernels: 'wasm-simd' })).kernels).toBe('wasm-simd');
  expect((await createEngine({ native, modules: {} })).kernels).toBe('reference');
});

test('auto without the package says nothing, and with one that does not load one sentence', async () => {
  const without = await createEngine();
  const { kernels, kernelsNote } = await createEngine({ native: missing });
  expect([kernels, kernelsNote]).toEqual([without.kernels, without.kernelsNote]);
  const fallen = await createEngine({ native: broken });
  expect(fallen.kernels).toBe(without.kernels);
  expect(fallen.kernelsNote).toMatch(/^Native kernels are not used: kernels: cannot be loaded\./);
});

test.each([
  [{ kernels: 'native' }, 'unsupported'],
  [{ kernels: 'native-avx2', native: missing }, 'unsupported'],
  [{ kernels: 'native', native: broken }, 'unsupported'],
  [{ kernels: 'nativ' }, 'invalid-argument'],
])('native kernels that are not there: %o', async (options, code) => {
  await expect(createEngine(options as object)).rejects.toMatchObject({ code });
});

test('PRUNE_KERNELS names the kernels unless the option does', () => {
  const before = process.env.PRUNE_KERNELS;
  try {
    delete process.env.PRUNE_KERNELS;
    expect(nodeEngine().kernels).toBe('auto');
    process.env.PRUNE_KERNELS = 'wasm-simd';
    expect(nodeEngine().kernels).toBe('wasm-simd');
    expect(nodeEngine({ kernels: 'reference', threads: 2 })).toMatchObject({ kernels: 'reference', threads: 2 });
  } finally {
    if (before === undefined) delete process.env.PRUNE_KERNELS;
    else process.env.PRUNE_KERNELS = before;
  }
});
