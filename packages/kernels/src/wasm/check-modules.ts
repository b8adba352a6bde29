import { PruneError } from '@prune/core';
import type { KernelModules, WasmKernels } from '../engine.js';
import { EMBEDDED_KERNELS } from './embedded-kernels.js';
import { kernelFileName, SOURCE_SECTION } from './kernel-files.js';

/**
 * Gives the modules by name. Throws `invalid-argument` for what is not a module, and `mismatch` for one that was not
 * made from the sources of this package: the memory map of another version may differ, and results would be wrong.
 */
export function checkModules(modules: KernelModules): Map<WasmKernels, WebAssembly.Module> {
  const checked = new Map<WasmKernels, WebAssembly.Module>();
  for (const [name, module] of Object.entries(modules)) {
    if (module === undefined) continue;
    if (!Object.hasOwn(EMBEDDED_KERNELS, name)) {
      throw new PruneError('invalid-argument', {
        where: 'kernels',
        what: 'unknown name in `modules`',
        got: name,
        wanted: Object.keys(EMBEDDED_KERNELS).join(', '),
      });
    }
    const build = name as WasmKernels;
    // `instanceof` would refuse a module that another frame, or another context of Node, has compiled.
    const tag = Object.prototype.toString.call(module);
    if (tag !== '[object WebAssembly.Module]') {
      throw new PruneError('invalid-argument', {
        where: 'kernels',
        what: `\`modules\` has no compiled module for ${name}`,
        got: tag,
        wanted: 'a WebAssembly.Module',
      });
    }
    const hash = sourceHashOf(module);
    if (hash !== EMBEDDED_KERNELS[build].sourceHash) {
      throw new PruneError('mismatch', {
        where: 'kernels',
        what: `the module given as ${name} is not the one of this version`,
        got: hash === undefined ? 'a module without the hash of its sources' : `sources with the SHA-256 ${hash}`,
        wanted: `@prune/kernels/wasm/${kernelFileName(build, false)}, or ${kernelFileName(build, true)} beside it`,
      });
    }
    checked.set(build, module);
  }
  return checked;
}

function sourceHashOf(module: WebAssembly.Module): string | undefined {
  const [section] = WebAssembly.Module.customSections(module, SOURCE_SECTION);
  return section && new TextDecoder().decode(section);
}
