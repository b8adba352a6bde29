import { setFlagsFromString } from 'node:v8';

/** V8 of Node 24 and 26, with which the wide kernels are tested. */
const TESTED = ['13', '14'];

/** Whether {@link wideKernels} gives them here. */
export function hasWideKernels(): boolean {
  return process.arch === 'x64' && TESTED.includes(process.versions.v8.split('.')[0]);
}

/**
 * For `createEngine({ kernels: wideKernels() })`: `wasm-wide`, after turning on V8's pass that joins vectors of 128 bits in pairs of 256, where
 * this Node has it and the processor is an x64; else `auto`. The pass is experimental, off by default, and on for all WebAssembly that this
 * process compiles from then on; results are the same bits.
 */
export function wideKernels(): 'wasm-wide' | 'auto' {
  if (!hasWideKernels()) return 'auto';
  setFlagsFromString('--experimental-wasm-revectorize');
  return 'wasm-wide';
}
