import type { Engine, Kernels } from './engine.js';
import { activate } from './reference/activate.js';
import { layerNorm } from './reference/layer-norm.js';
import { loadReferenceEncoder } from './reference/reference-engine.js';
import { softmax } from './reference/softmax.js';

/** Options of {@link createEngine}. */
export interface EngineOptions {
  /** `auto`: the fastest that gives the right results here. */
  readonly kernels?: Kernels | 'auto';
  /** Threads to compute with, the calling one included. */
  readonly threads?: number;
}

/** The defaults of {@link createEngine}. */
export const DEFAULT_ENGINE_OPTIONS = { kernels: 'auto', threads: 1 } as const satisfies EngineOptions;

/** Makes an engine; nothing is compiled or started before this call. */
export async function createEngine(_options: EngineOptions = {}): Promise<Engine> {
  return {
    kernels: 'reference',
    threads: 1,
    loadEncoder: loadReferenceEncoder,
    layerNorm,
    softmax,
    activate: (x, activation) => x.map((value) => activate(value, activation)),
    async close() {},
  };
}
