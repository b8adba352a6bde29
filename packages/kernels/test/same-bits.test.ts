import { afterAll, describe, expect, test } from 'vitest';
import type { Engine } from '../src/index.js';
import { enginesOn, noRelaxedSimd, noVnni, RELAXED } from './kernels.js';
import { FEW_MODES, sameBitsOn } from './same-bits-suite.js';

const engines: Engine[] = [];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));

const available: [name: string, Engine][] = [];
for (const kernels of ['wasm-simd' as const, ...(noRelaxedSimd ? [] : RELAXED)]) {
  for (const threads of [1, 3]) {
    for (const divided of [false, true]) available.push(...(await enginesOn(kernels, threads, divided)));
  }
}
engines.push(...available.map(([, engine]) => engine));

describe('engines under test', () => {
  test('wasm-simd', () => takePart('wasm-simd'));
  test.skipIf(noRelaxedSimd).each(RELAXED)('%s', takePart);
  test.skipIf(noVnni).each(RELAXED)('%s, dot4', (kernels) => takePart(`${kernels}, dot4`));

  function takePart(kernels: string) {
    const names = available.map(([name]) => name);
    expect(names).toContain(`${kernels} x 1`);
    expect(names).toContain(`${kernels} x 3`);
    expect(names).toContain(`${kernels} x 1, divided`);
    expect(names).toContain(`${kernels} x 3, divided`);
  }
});

// Starting workers and dividing passes is what takes time.
sameBitsOn(
  available,
  (name, { threads }, mode) => (threads === 1 && !name.endsWith('divided')) || FEW_MODES.includes(mode),
);
