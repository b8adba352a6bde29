// Tests of decoding once more, with the TypeScript loops alone: they serve where WebAssembly may not be compiled. All
// of them with PRUNE_FUZZ, which .ci/full sets.
import { expect, test, vi } from 'vitest';
import { wasmLoops } from './wasm-loops.js';

vi.mock('./wasm-loops.js', () => ({ wasmLoops: () => undefined }));

test('there is no WebAssembly in these tests', () => {
  expect(wasmLoops()).toBeUndefined();
});

await import('../entropy-codec.test.js');
await import('../expansion.test.js');
await import('../golden.test.js');
await import('../rows/rows-codec.test.js');
await import('../rows/rows-golden.test.js');
// The long ones; same-outcome.test.ts has mutants of its own.
if (process.env.PRUNE_FUZZ !== undefined) {
  await import('../encode-csr.test.js');
  await import('../forged-fuzz.test.js');
  await import('../fuzz.test.js');
  await import('../rows/quantized.test.js');
  await import('../rows/rows-fuzz.test.js');
}
