import { SKIP_CONDITIONS } from '@prune/fixtures';
import { describe, expect, it } from 'vitest';
import { wasmPeak } from './wasm-peak.js';

describe('wasmPeak', () => {
  it('is of the order of what a processor does: a billion to a trillion multiply-adds a second', async () => {
    const plain = await wasmPeak('wasm-simd');
    expect(plain).toBeGreaterThan(1e9);
    expect(plain).toBeLessThan(1e12);
  });

  it('relaxed where the engine has it, and no lower than half the plain one', async () => {
    const plain = await wasmPeak('wasm-simd');
    for (const kernel of ['wasm-relaxed', 'wasm-dot4'] as const) {
      const relaxed = await wasmPeak(kernel);
      if (SKIP_CONDITIONS['no-relaxed-simd']()) expect(relaxed).toBeUndefined();
      // Without VNNI the product of four is five instructions.
      else expect(relaxed! / plain!).toBeGreaterThan(kernel === 'wasm-dot4' ? 0.1 : 0.5);
    }
  });
});
