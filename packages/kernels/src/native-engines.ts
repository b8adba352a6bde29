import { PruneError } from '@prune/core';
import type { Engine, Kernels, NativeKernels } from './engine.js';

/** Makes engines on native kernels, from a package that may be missing. */
export interface NativeEngines {
  /**
   * `undefined` where the package is not installed. Rejects where it does not load, or has no kernels for this machine.
   */
  create(options: {
    readonly kernels: NativeKernels | 'native';
    readonly threads: number;
  }): Promise<Engine | undefined>;
}

/**
 * The native engine that is asked for, or with `auto` the one that there is; otherwise why there is none, where the
 * package is installed. Throws `unsupported` where native kernels alone are wanted.
 */
export async function tryNative(
  wanted: Kernels | 'native' | 'auto',
  threads: number,
  native: NativeEngines | undefined,
): Promise<{ readonly engine: Engine } | { readonly note?: string }> {
  if (wanted === 'auto') {
    try {
      const engine = await native?.create({ kernels: 'native', threads });
      return engine === undefined ? {} : { engine };
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0];
      return { note: `Native kernels are not used: ${reason.replace(/\.$/, '')}.` };
    }
  }
  if (!isNative(wanted)) return {};
  const engine = await native?.create({ kernels: wanted, threads });
  if (engine !== undefined) return { engine };
  throw new PruneError('unsupported', {
    where: 'kernels',
    what:
      native === undefined ? 'native kernels without the option `native`' : '@prune/kernels-native is not installed',
    got: wanted,
    wanted: native === undefined ? 'nativeKernels of @prune/kernels/node' : 'the package beside @prune/kernels',
  });
}

/** Names of later versions too: the package says what it has. */
function isNative(kernels: Kernels | 'native'): kernels is NativeKernels | 'native' {
  return kernels === 'native' || String(kernels).startsWith('native-');
}
