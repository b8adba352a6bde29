import { afterEach, expect, test, vi } from 'vitest';
import { END, MAX_SLOTS } from './layout.js';

/** As in a thread in which nothing was compiled before. */
async function fresh() {
  vi.resetModules();
  return (await import('./wasm-loops.js')).wasmLoops;
}

afterEach(() => vi.unstubAllGlobals());

test('the loops are compiled once, with memory for their layout', async () => {
  const wasmLoops = await fresh();
  const loops = wasmLoops();
  expect(loops?.memory.byteLength).toBeGreaterThanOrEqual(END);
  expect(loops?.decodeMasks(0)).toBe(1);
  expect(wasmLoops()).toBe(loops);
});

test('addresses and limits are numbers of whole words', async () => {
  for (const [name, value] of Object.entries(await import('./layout.js'))) {
    expect([name, value % (name.startsWith('MAX_') || name === 'MASK_LANE_BYTES' ? 1 : 4)]).toEqual([name, 0]);
  }
  expect(MAX_SLOTS).toBeLessThan(2 ** 18);
});

test('none where there is no WebAssembly', async () => {
  vi.stubGlobal('WebAssembly', undefined);
  expect((await fresh())()).toBeUndefined();
});

test('none where it may not be compiled, and no second attempt', async () => {
  const forbidden = vi.fn(function Module() {
    throw new WebAssembly.CompileError('Wasm code generation disallowed by embedder');
  });
  vi.stubGlobal('WebAssembly', { ...WebAssembly, Module: forbidden, CompileError: WebAssembly.CompileError });
  const wasmLoops = await fresh();
  expect(wasmLoops()).toBeUndefined();
  expect(wasmLoops()).toBeUndefined();
  expect(forbidden).toHaveBeenCalledTimes(1);
});
