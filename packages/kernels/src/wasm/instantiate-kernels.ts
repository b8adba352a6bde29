import { withinMemory } from '../within-memory.js';

/**
 * The exports of kernels that compute in `memory`. `watch` is called while the caller's thread waits for others, and
 * may throw. Throws `limit` without the memory for an instance.
 */
export function instantiateKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  watch: () => void = () => {},
): WebAssembly.Exports {
  return withinMemory(
    'an instance of the kernels',
    () => new WebAssembly.Instance(module, { env: { memory, watch } }).exports,
  );
}
