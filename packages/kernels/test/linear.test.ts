import { QUANTIZATION_PROFILES } from '@prune/core';
import { dynamicLinear } from '@prune/quant';
import { describe, expect, test } from 'vitest';
import { createEngine, type Kernels } from '../src/index.js';
import { workerThreads } from '../src/node.js';
import { OpenParts } from '../src/open-parts.js';
import { compileKernels } from '../src/wasm/compile-kernels.js';
import { selectKernels } from '../src/wasm/select-kernels.js';
import { loadWasmLinear } from '../src/wasm/wasm-linear.js';
import { EVERYWHERE, noRelaxedSimd, RELAXED } from './kernels.js';
import { int8, linearAloneOn, roundedTwice } from './linear-suite.js';
import { normals, random } from './random-encoder.js';
import { differentBits } from './same-bits.js';

describe.each(['reference' as const, ...EVERYWHERE])('a Linear alone: %s', aloneOn);
describe.skipIf(noRelaxedSimd).each(RELAXED)('a Linear alone: %s', aloneOn);

function aloneOn(kernels: Kernels | 'auto') {
  // Two threads: its memory is then a shared one, and only the caller computes.
  linearAloneOn(() => createEngine({ kernels, threads: kernels === 'auto' ? 2 : 1, threadHost: workerThreads }));
}

test.skipIf(noRelaxedSimd)(
  'a machine whose relaxed multiply-add is not fused, or whose dot product is of two, gets the same bits',
  async () => {
    const module = await compileKernels('wasm-relaxed', false);
    const here = await selectKernels('wasm-relaxed');
    const next = random(6);
    for (const linear of [roundedTwice(), int8(next, 101, 1000, 0.4)]) {
      const columns = linear.weight.shape[1];
      const x = normals(next, 70 * columns);
      for (const profile of QUANTIZATION_PROFILES) {
        for (const rowwise of [false, true]) {
          const wanted = dynamicLinear(x, linear, profile, { rowwise });
          for (const fused of [false, here.fused]) {
            for (const dot4 of [false, here.dot4]) {
              const target = { module, shared: false, fused, dot4 };
              const loaded = loadWasmLinear(linear, { profile, rowwise }, 'linear', target, new OpenParts());
              expect(differentBits(loaded.apply(x), wanted)).toBe('');
            }
          }
        }
      }
    }
  },
);
