import { isPruneError } from '@prune/core';
import type { WasmKernels } from '../engine.js';
import { withinMemory } from '../within-memory.js';
import { type CompileKernels, compileKernels } from './compile-kernels.js';
import { instantiateKernels } from './instantiate-kernels.js';
import { byteOf, ROW_KERNELS, type RowKernel, type RowKernelFunction } from './kernel-table.js';
import { CODE_ROW_BYTES, FIRST_FREE, LANES, PAIR, ROW_HEADER } from './layout.js';
import { writeConstants } from './write-constants.js';

/**
 * Calls of each kernel: V8 runs WebAssembly in its baseline compiler first and in the optimizing one later, and Node 20's two differ in a
 * relaxed instruction. Enough to pass the tier-up; a few milliseconds in all.
 */
const CALLS = 200;

/** What a build that works can do here. */
export interface Probe {
  /** Whether the relaxed multiply-add rounds once. */
  readonly fused: boolean;
  /** Whether the relaxed dot product sums four products of codes of 8 bits at once: where it is VNNI's `vpdpbusd`. */
  readonly dot4: boolean;
}

/** A build that works, or why it does not. */
export type ProbeResult = (Probe & { readonly works: true; readonly module: ProbedModule }) | ProbeFailure;

/** A compiled build, and which kind of memory it imports. */
export interface ProbedModule {
  readonly module: WebAssembly.Module;
  readonly shared: boolean;
}

interface ProbeFailure {
  readonly works: false;
  /** What the JavaScript engine threw; `undefined` where only sums were wrong. */
  readonly cause?: unknown;
}

/**
 * Tries a build: `given`, or else what `compile` gives. It works if each of its row kernels gives the right sums,
 * before and after tier-up; those that sum four products at once need not. Throws `limit` without the memory for it,
 * and what `compile` throws of the files that it was given: they say nothing about the build.
 */
export async function probeKernels(
  build: WasmKernels,
  given?: WebAssembly.Module,
  compile: CompileKernels = compileKernels,
): Promise<ProbeResult> {
  try {
    const module = given ?? (await compile(build, false));
    const { exports, memory, shared } = instantiateAlone(module);
    writeConstants(memory.buffer);
    const kernels = ROW_KERNELS.filter((kernel) => kernel.build === build);
    const isRight = (kernel: RowKernel) => sumsAreRight(exports[kernel.name] as RowKernelFunction, kernel, memory);
    if (!kernels.filter(({ form }) => form !== 'dot4').every(isRight)) return { works: false };
    const result = { works: true, module: { module, shared } } as const;
    if (build === 'wasm-simd') return { ...result, fused: false, dot4: false };
    return {
      ...result,
      fused: roundsOnce(exports.multiplyAddOne as MultiplyAdd),
      dot4: kernels.filter(({ form }) => form === 'dot4').every(isRight),
    };
  } catch (cause) {
    if (isPruneError(cause)) throw cause;
    return { works: false, cause };
  }
}

/** Instantiates a module with a memory of the kind that it imports, which a module does not say. */
function instantiateAlone(module: WebAssembly.Module): {
  exports: Record<string, unknown>;
  memory: WebAssembly.Memory;
  shared: boolean;
} {
  const withMemory = (shared: boolean) => {
    const memory = withinMemory(
      'memory to try kernels in',
      () => new WebAssembly.Memory({ initial: 2, maximum: 32767, shared }),
    );
    return { exports: instantiateKernels(module, memory), memory, shared };
  };
  try {
    return withMemory(false);
  } catch (error) {
    if (!(error instanceof WebAssembly.LinkError)) throw error;
    return withMemory(true);
  }
}

type MultiplyAdd = (a: number, b: number, c: number) => number;

/** (1 + 2^-12)^2 - (1 + 2^-11): rounded twice, it is 0. */
function roundsOnce(multiplyAdd: MultiplyAdd): boolean {
  for (let call = 0; call < CALLS; call++) {
    if (multiplyAdd(1 + 2 ** -12, 1 + 2 ** -12, -(1 + 2 ** -11)) !== 2 ** -24) return false;
  }
  return true;
}

/** One row, one group of two pairs at the bounds or one quad, over codes from one end to the other. */
function sumsAreRight(sum: RowKernelFunction, kernel: RowKernel, memory: WebAssembly.Memory): boolean {
  const {
    lanes,
    form,
    codes: [low, high],
  } = kernel;
  const [stream, headers, tile, to] = [0, 2048, 4096, 12288].map((offset) => FIRST_FREE + offset);
  const weights = [127, 127, 1, 0];
  // A row of one group of two pairs, or of one quad. Features 0 and 1 have the offsets 0 and CODE_ROW_BYTES, in 16 bits each.
  const pair = [0, 0, CODE_ROW_BYTES, 0];
  const [a, b, c, d] = weights;
  const entries = form === 'dot4' ? [...pair, ...pair, a, b, c, d] : [2 * PAIR.bytes, 0, ...pair, a, b, ...pair, c, d];
  new Uint8Array(memory.buffer).set(entries, stream + ROW_HEADER.bytes);
  new DataView(memory.buffer).setUint16(stream + ROW_HEADER.fields.plusGroups.at, 1, true);
  const codes = new Int8Array(memory.buffer, tile, 2 * CODE_ROW_BYTES);
  for (let lane = 0; lane < LANES; lane++) {
    codes[lane] = Math.round(low + ((high - low) * lane) / (LANES - 1));
    codes[CODE_ROW_BYTES + lane] = lane % 2 === 0 ? high : codes[lane];
  }
  // Bytes are read back as the kernel takes them.
  const code = (at: number) => (low < 0 ? codes[at] : codes[at] & 255);
  const sums = new Int32Array(memory.buffer, to, LANES);
  for (let call = 0; call < CALLS; call++) {
    sums.fill(0);
    sum(stream, tile, to, 1, true, 0, 0, headers);
    for (let lane = 0; lane < lanes; lane++) {
      const place = byteOf(kernel, lane);
      const wanted = code(place) * (weights[0] + weights[2]) + code(CODE_ROW_BYTES + place) * weights[1];
      if (sums[lane] !== wanted) return false;
    }
  }
  return true;
}
