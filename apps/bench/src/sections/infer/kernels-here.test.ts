import { hasWideKernels } from '@prune/kernels/node';
import { expect, it } from 'vitest';
import { kernelsHere } from './kernels-here.js';
import { OTHER_KERNELS } from './side.js';

it('kernels that are not those chosen, each once, in the order of the report', async () => {
  const { chosen, others } = await kernelsHere();
  expect(chosen).toMatch(/^(native|wasm)-/);
  expect(others).not.toContain(chosen);
  expect(others).toEqual(OTHER_KERNELS.filter((kernels) => others.includes(kernels)));
  expect(others.includes('wasm-wide')).toBe(hasWideKernels());
  if (chosen !== 'wasm-simd') expect(others).toContain('wasm-simd');
});
