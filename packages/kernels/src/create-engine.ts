import { PruneError } from '@prune/core';
import type { Engine, Kernels } from './engine.js';
import { OpenParts } from './open-parts.js';
import { activate } from './reference/activate.js';
import { layerNorm } from './reference/layer-norm.js';
import { loadReferenceEncoder } from './reference/reference-engine.js';
import { loadReferenceLinear } from './reference/reference-linear.js';
import { softmax } from './reference/softmax.js';
import { compileKernels } from './wasm/compile-kernels.js';
import { defaultHost } from './wasm/default-host.js';
import { type SelectedKernels, selectKernels } from './wasm/select-kernels.js';
import type { ThreadHost } from './wasm/thread-host.js';
import { loadWasmEncoder } from './wasm/wasm-encoder.js';
import { loadWasmLinear } from './wasm/wasm-linear.js';

/** Options of {@link createEngine}. */
export interface EngineOptions {
  /** `auto`: the fastest of those that give the right results here, `wasm-wide` aside. */
  readonly kernels?: Kernels | 'auto';
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
 * Makes an engine; nothing is compiled or started before this call, and threads start with an encoder. Throws `invalid-argument`, and
 * `unsupported` when the kernels asked for do not work here.
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
  return engineOn(await selectKernels(wanted), count, options.threadHost ?? defaultHost());
}

/** An engine on kernels that work here. `looks`: see `LOOKS` of wasm/crew.ts; `jobMs`: see `JOB_MS` of wasm/wasm-encoder.ts. */
export async function engineOn(
  { kernels, fused, dot4 }: SelectedKernels,
  count: number,
  host: ThreadHost | undefined,
  { looks, jobMs }: { readonly looks?: number; readonly jobMs?: number } = {},
): Promise<Engine> {
  const parts = new OpenParts();
  const threadsNote = count > 1 ? whyOneThread(kernels, host) : undefined;
  const threads = threadsNote === undefined ? count : 1;
  const module = kernels === 'reference' ? undefined : await compileKernels(kernels, threads > 1);
  return {
    kernels,
    dot4,
    threads,
    threadsWanted: count,
    threadsNote,
    async loadEncoder(spec) {
      parts.check();
      return module === undefined
        ? loadReferenceEncoder(spec, parts)
        : loadWasmEncoder(spec, { module, fused, dot4, threads, host, looks, jobMs }, parts);
    },
    loadLinear(linear, mode, name = 'linear') {
      parts.check();
      return module === undefined
        ? loadReferenceLinear(linear, mode, name, parts)
        : loadWasmLinear(linear, mode, name, { module, fused, dot4, shared: threads > 1 }, parts);
    },
    layerNorm(x, parameters, eps) {
      parts.check();
      return layerNorm(x, parameters, eps);
    },
    softmax(x, columns) {
      parts.check();
      return softmax(x, columns);
    },
    activate(x, activation) {
      parts.check();
      return x.map((value) => activate(value, activation));
    },
    close: () => parts.close(),
  };
}

/** Why threads cannot be used; `undefined` where they can. */
function whyOneThread(kernels: Kernels, host: ThreadHost | undefined): string | undefined {
  if (kernels === 'reference') return 'The reference kernels compute on one thread.';
  if (!memoryCanBeShared()) return 'Memory cannot be shared here: the page is not cross-origin isolated.';
  if (host === undefined)
    return 'No workers were found here: pass threadHost, workerThreads of @prune/kernels/node in Node.';
  return undefined;
}

/** Not in a page without cross-origin isolation, where the constructor is missing. */
function memoryCanBeShared(): boolean {
  return typeof SharedArrayBuffer !== 'undefined' && (globalThis.crossOriginIsolated ?? true);
}
