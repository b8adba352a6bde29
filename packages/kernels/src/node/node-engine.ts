import type { EngineOptions } from '../create-engine.js';
import { nativeKernels } from './native-kernels.js';
import { workerThreads } from './worker-threads.js';

/**
 * The options of `createEngine`, or of the engine of a model, that are fastest in Node: native kernels where
 * `@prune/kernels-native` is installed, threads of `node:worker_threads` for the others. `options` come first, then the
 * environment variable `PRUNE_KERNELS`, which names the kernels.
 */
export function nodeEngine(options: EngineOptions = {}): EngineOptions {
  const {
    kernels = (process.env.PRUNE_KERNELS || 'auto') as EngineOptions['kernels'],
    native = nativeKernels,
    threadHost = workerThreads,
  } = options;
  return { ...options, kernels, native, threadHost };
}
