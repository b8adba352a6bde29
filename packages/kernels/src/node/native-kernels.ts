import type { Engine, NativeKernels } from '../engine.js';
import type { NativeEngines } from '../native-engines.js';

/** An optional package, which depends on this one. A variable, because compilers and bundlers look for names. */
const PACKAGE = '@prune/kernels-native';

interface NativePackage {
  createNativeEngine(options: {
    readonly kernels: NativeKernels | 'native';
    readonly threads: number;
  }): Promise<Engine>;
}

/** The kernels of `@prune/kernels-native`, where it is installed, for `createEngine({ native: nativeKernels })`. */
export const nativeKernels: NativeEngines = {
  async create(options) {
    let found: NativePackage;
    try {
      found = await import(/* @vite-ignore */ /* webpackIgnore: true */ PACKAGE);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    return found.createNativeEngine(options);
  },
};

/** Whether the package itself was not found, or is not built; not something that it imports. */
function isMissing(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  return code === 'ERR_MODULE_NOT_FOUND' && message?.includes('kernels-native') === true;
}
