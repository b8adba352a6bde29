import { PruneError } from '@prune/core';
import type { Engine, NativeKernels } from '@prune/kernels';
import { engineFunctions, OpenParts } from '@prune/kernels/spec';
import { type Addon, loadAddon, NATIVE_KERNELS, platformPackage } from './addon.js';
import { loadNativeEncoder } from './native-encoder.js';
import { loadNativeLinear } from './native-linear.js';

/** Options of {@link createNativeEngine}. */
export interface NativeEngineOptions {
  /** `native`: the fastest that this processor runs. */
  readonly kernels?: NativeKernels | 'native';
  /** Threads of each encoder. They are the encoder's own: JavaScript's thread is free while they compute. */
  readonly threads?: number;
}

/** The defaults of {@link createNativeEngine}. */
export const DEFAULT_NATIVE_ENGINE_OPTIONS = { kernels: 'native', threads: 1 } as const satisfies NativeEngineOptions;

/** As createEngine of `@prune/kernels`. */
const MAX_THREADS = 16;

/**
 * Makes an engine on native kernels. Throws `invalid-argument`, and `unsupported` when there is no addon for this
 * machine, it does not load, or the kernels asked for do not run here.
 */
export async function createNativeEngine(options: NativeEngineOptions = {}): Promise<Engine> {
  const { kernels = DEFAULT_NATIVE_ENGINE_OPTIONS.kernels, threads = DEFAULT_NATIVE_ENGINE_OPTIONS.threads } = options;
  if (!(Number.isSafeInteger(threads) && threads >= 1 && threads <= MAX_THREADS)) {
    throw new PruneError('invalid-argument', {
      where: 'kernels',
      what: 'threads',
      got: threads,
      wanted: `an integer from 1 to ${MAX_THREADS}`,
    });
  }
  if (kernels !== 'native' && !NATIVE_KERNELS.includes(kernels)) {
    throw new PruneError('invalid-argument', {
      where: 'kernels',
      what: 'unknown kernels',
      got: String(kernels),
      wanted: `native, ${NATIVE_KERNELS.join(', ')}`,
    });
  }
  const addon = load();
  return nativeEngineOn(addon, select(addon, kernels, addon.available()), threads);
}

/** An engine on kernels that work here: a place in `NATIVE_KERNELS`. */
export function nativeEngineOn(addon: Addon, kernels: number, threads: number): Engine {
  const parts = new OpenParts();
  const target = { addon, kernels, threads };
  return {
    kernels: NATIVE_KERNELS[kernels],
    dot4: NATIVE_KERNELS[kernels] !== 'native-avx2',
    threads,
    threadsWanted: threads,
    async loadEncoder(spec) {
      parts.check();
      return loadNativeEncoder(spec, target, parts);
    },
    loadLinear(linear, mode, name = 'linear') {
      parts.check();
      return loadNativeLinear(linear, mode, name, target, parts);
    },
    ...engineFunctions(parts),
    close: () => parts.close(),
  };
}

function load(): Addon {
  try {
    return loadAddon();
  } catch (cause) {
    const name = platformPackage();
    const { code, message } = cause as { code?: string; message?: string };
    const missing = code === 'MODULE_NOT_FOUND';
    throw new PruneError('unsupported', {
      where: 'kernels',
      what: 'the native kernels do not load',
      got: missing ? `${name} is not installed` : message?.split('\n')[0],
      wanted: missing ? 'this optional dependency of @prune/kernels-native' : `an addon that loads here, as in ${name}`,
      cause,
    });
  }
}

/** The kernels asked for, or the best of `available` that give the right sums. */
function select(addon: Addon, wanted: NativeKernels | 'native', available: number): number {
  const works = (kernels: number) => (available & (1 << kernels)) !== 0 && addon.probe(kernels);
  const candidates = wanted === 'native' ? [...NATIVE_KERNELS.keys()].reverse() : [NATIVE_KERNELS.indexOf(wanted)];
  const found = candidates.find(works);
  if (found !== undefined) return found;
  throw new PruneError('unsupported', {
    where: 'kernels',
    what: 'this processor does not run the native kernels asked for',
    got: wanted,
    wanted:
      [...NATIVE_KERNELS.keys()]
        .filter(works)
        .map((one) => NATIVE_KERNELS[one])
        .join(', ') || 'other kernels',
  });
}
