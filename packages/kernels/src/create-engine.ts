import { PruneError } from '@prune/core';
import type { Engine, KernelModules, Kernels } from './engine.js';
import { type NativeEngines, tryNative } from './native-engines.js';
import { OpenParts } from './open-parts.js';
import { engineFunctions } from './reference/engine-functions.js';
import { loadReferenceEncoder } from './reference/reference-engine.js';
import { loadReferenceLinear } from './reference/reference-linear.js';
import { compileKernels, type KernelBytes } from './wasm/compile-kernels.js';
import { defaultHost } from './wasm/default-host.js';
import { kernelFileName } from './wasm/kernel-files.js';
import type { ProbedModule } from './wasm/probe-kernels.js';
import { type OwnKernels, type SelectedKernels, selectKernels } from './wasm/select-kernels.js';
import type { ThreadHost } from './wasm/thread-host.js';
import { loadWasmEncoder } from './wasm/wasm-encoder.js';
import { loadWasmLinear } from './wasm/wasm-linear.js';

/** Options of {@link createEngine}. */
export interface EngineOptions {
  /**
   * `auto`: the fastest of those that give the right results here, `wasm-wide` aside; native ones where `native` has
   * them. `native`: the fastest of these.
   */
  readonly kernels?: Kernels | 'native' | 'auto';
  /**
   * Where native kernels come from: `nativeKernels` of `@prune/kernels/node`. Default: none. With `auto` they are not
   * used where `modules` or `wasm` are given.
   */
  readonly native?: NativeEngines;
  /**
   * Compiled files of this package, for runtimes that forbid compiling WebAssembly from bytes. `auto` chooses among
   * them alone. Without them, the engine compiles what this package holds.
   */
  readonly modules?: KernelModules;
  /**
   * Gives the bytes of `@prune/kernels/wasm/relaxed.wasm` or `simd.wasm` when they are needed, where a bundle is to be
   * without what this package holds. Whatever it throws, the engine throws.
   */
  readonly wasm?: KernelBytes;
  /** Threads to compute with, the calling one included. One where memory cannot be shared (a page that is not cross-origin isolated). */
  readonly threads?: number;
  /** Where threads come from. Default: Node's worker threads, in Node; Web Workers elsewhere. */
  readonly threadHost?: ThreadHost;
}

/** The defaults of {@link createEngine}. */
export const DEFAULT_ENGINE_OPTIONS = { kernels: 'auto', threads: 1 } as const satisfies EngineOptions;

/** More threads than this have less than one attention head of BERT-large each. */
const MAX_THREADS = 16;

/**
 * Makes an engine; nothing is compiled or started before this call, and threads start with an encoder. Throws
 * `invalid-argument`, `unsupported` when the kernels asked for do not work here, and `mismatch` for modules of another
 * version.
 */
export async function createEngine(options: EngineOptions = {}): Promise<Engine> {
  const { kernels: wanted = DEFAULT_ENGINE_OPTIONS.kernels, threads: count = DEFAULT_ENGINE_OPTIONS.threads } = options;
  if (!(Number.isSafeInteger(count) && count >= 1 && count <= MAX_THREADS)) {
    throw new PruneError('invalid-argument', {
      where: 'kernels',
      what: 'threads',
      got: count,
      wanted: `an integer from 1 to ${MAX_THREADS}`,
    });
  }
  const { modules, wasm } = options;
  const usesNative = wanted !== 'auto' || (modules === undefined && wasm === undefined);
  const native = usesNative ? await tryNative(wanted, count, options.native) : {};
  if ('engine' in native) return native.engine;
  const selected = await selectKernels(wanted, modules, wasm);
  const kernelsNote = [native.note, selected.kernelsNote].filter((note) => note !== undefined).join(' ') || undefined;
  return engineOn({ ...selected, kernelsNote }, count, options.threadHost ?? defaultHost());
}

/**
 * An engine on kernels that work here. `looks`: see `LOOKS` of wasm/crew.ts; `jobMs`: see `JOB_MS` of
 * wasm/wasm-encoder.ts.
 */
export async function engineOn(
  { kernels, kernelsNote, fused, dot4, given, compile = compileKernels }: SelectedKernels,
  count: number,
  host: ThreadHost | undefined,
  { looks, jobMs }: { readonly looks?: number; readonly jobMs?: number } = {},
): Promise<Engine> {
  const parts = new OpenParts();
  const threadsNote = count > 1 ? (whyOneThread(kernels, host, given) ?? (await host?.whyNoThreads?.())) : undefined;
  const threads = threadsNote === undefined ? count : 1;
  const shared = given?.shared ?? threads > 1;
  const module = kernels === 'reference' ? undefined : (given?.module ?? (await compile(kernels, shared)));
  return {
    kernels,
    kernelsNote,
    dot4,
    threads,
    threadsWanted: count,
    threadsNote,
    async loadEncoder(spec) {
      parts.check();
      return module === undefined
        ? loadReferenceEncoder(spec, parts)
        : loadWasmEncoder(spec, { module, shared, fused, dot4, threads, host, looks, jobMs }, parts);
    },
    loadLinear(linear, mode, name = 'linear') {
      parts.check();
      return module === undefined
        ? loadReferenceLinear(linear, mode, name, parts)
        : loadWasmLinear(linear, mode, name, { module, shared, fused, dot4 }, parts);
    },
    ...engineFunctions(parts),
    close: () => parts.close(),
  };
}

/** Why threads cannot be used; `undefined` where they can. */
function whyOneThread(
  kernels: OwnKernels,
  host: ThreadHost | undefined,
  given: ProbedModule | undefined,
): string | undefined {
  if (kernels === 'reference') return 'The reference kernels compute on one thread.';
  if (!memoryCanBeShared()) return 'Memory cannot be shared here: the page is not cross-origin isolated.';
  if (given?.shared === false) {
    const file = kernelFileName(kernels, true);
    return `The module given for ${kernels} has memory that threads cannot share: give that of ${file}.`;
  }
  if (host === undefined)
    return 'No workers were found here: pass threadHost, workerThreads of @prune/kernels/node in Node.';
  return undefined;
}

/** Not in a page without cross-origin isolation, where the constructor is missing. */
function memoryCanBeShared(): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && (globalThis.crossOriginIsolated ?? true);
}
