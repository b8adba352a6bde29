import type { Kernels } from '../engine.js';
import { compileKernels } from './compile-kernels.js';
import { LANES, writeConstants } from './memory-map.js';
import { HEADER } from './row-writer.js';

/**
 * Calls of the probe: V8 runs WebAssembly in its baseline compiler first and in the optimizing one later, and Node 20's two differ in a
 * relaxed instruction. Enough to pass the tier-up; under a millisecond.
 */
const CALLS = 400;

/** Where a token of eight is in a tile. */
const ORDER = [0, 2, 4, 6, 1, 3, 5, 7];

interface RowKernels {
  readonly [name: string]: (stream: number, tile: number, from: number, to: number) => number;
}

/** Whether a build compiles here and its row kernels give the right sums, before and after tier-up. */
export async function probeKernels(build: Exclude<Kernels, 'reference'>): Promise<boolean> {
  try {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 32767 });
    writeConstants(memory.buffer);
    const module = await compileKernels(build, false);
    const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as RowKernels;
    if (build === 'wasm-simd') return sumsAreRight(kernels.plain32, memory, [-64, 63]);
    return (
      sumsAreRight(kernels.relaxed32, memory, [0, 127]) && sumsAreRight(kernels.relaxedSplit32, memory, [-128, 127])
    );
  } catch {
    return false;
  }
}

/** One group of two pairs at the ends of what the forms allow, over codes from one end to the other. */
function sumsAreRight(kernel: RowKernels[string], memory: WebAssembly.Memory, [low, high]: [number, number]): boolean {
  const [stream, tile, to] = [4096, 8192, 16384];
  const weights = [127, 127, 1, 0];
  const bytes = new Uint8Array(memory.buffer);
  // The end of a row's header (one group), the group's length, two pairs.
  bytes.set(
    [1, 0, 12, 0, 0, 0, LANES, 0, weights[0], weights[1], 0, 0, LANES, 0, weights[2], weights[3]],
    stream + HEADER - 2,
  );
  const codes = new Int8Array(memory.buffer, tile, 2 * LANES);
  for (let lane = 0; lane < LANES; lane++) {
    codes[lane] = Math.round(low + ((high - low) * lane) / (LANES - 1));
    codes[LANES + lane] = lane % 2 === 0 ? high : codes[lane];
  }
  const sums = new Int32Array(memory.buffer, to, LANES);
  for (let call = 0; call < CALLS; call++) {
    sums.fill(0);
    kernel(stream, tile, 0, to);
    for (let lane = 0; lane < LANES; lane++) {
      const place = ORDER[lane % 8] + (lane & ~7);
      const [a, b] = [codes[place], codes[LANES + place]];
      if (sums[lane] !== a * (weights[0] + weights[2]) + b * weights[1]) return false;
    }
  }
  return true;
}
