import { PruneError } from '@prune/core';
import type { KernelModules, Kernels, NativeKernels, WasmKernels } from '../engine.js';
import { checkModules } from './check-modules.js';
import { type CompileKernels, compileFiles, compileKernels, type KernelBytes } from './compile-kernels.js';
import { type Probe, type ProbedModule, probeKernels } from './probe-kernels.js';
import { whyNotCompiled } from './why-not-compiled.js';

/** What `auto` tries, from the fastest on, before the reference, which always works. */
const AUTO: readonly WasmKernels[] = ['wasm-relaxed', 'wasm-simd'];
/** Whether an engine joins vectors cannot be asked: whoever turned it on says so. */
const KERNELS: readonly OwnKernels[] = ['wasm-wide', ...AUTO, 'reference'];

/** The kernels that this package holds. */
export type OwnKernels = Exclude<Kernels, NativeKernels>;

/** Kernels that work here. */
export interface SelectedKernels extends Probe {
  readonly kernels: OwnKernels;
  /** See `Engine.kernelsNote`. */
  readonly kernelsNote?: string;
  /** The module of the caller's that they are. Otherwise they are compiled. */
  readonly given?: ProbedModule;
  /** Default: {@link compileKernels}. */
  readonly compile?: CompileKernels;
}

/**
 * The kernels asked for, or with `auto` the first that works here; only those of `modules` where there are some, else
 * those whose files `wasm` gives, else those of this package. Throws `invalid-argument`, `unsupported`, `mismatch` for
 * a module or file of another version, and what `wasm` throws.
 */
export async function selectKernels(
  wanted: Kernels | 'native' | 'auto',
  modules?: KernelModules,
  wasm?: KernelBytes,
): Promise<SelectedKernels> {
  if (wanted !== 'auto' && !isOwn(wanted)) {
    throw new PruneError('invalid-argument', {
      where: 'kernels',
      what: 'unknown kernels',
      got: String(wanted),
      wanted: `auto, native, ${KERNELS.join(', ')}`,
    });
  }
  const given = modules && checkModules(modules);
  const compile = wasm === undefined ? compileKernels : compileFiles(wasm);
  if (wanted === 'auto') return selectFastest(given, compile);
  if (wanted === 'reference') return reference();
  if (given && !given.has(wanted)) {
    throw new PruneError('invalid-argument', {
      where: 'kernels',
      what: '`modules` has no module for the kernels asked for',
      got: [...given.keys()].join(', ') || 'no module',
      wanted,
    });
  }
  const result = await probeKernels(wanted, given?.get(wanted), compile);
  if (result.works) return { ...selected(wanted, result, given !== undefined), compile };
  const fault = given ? undefined : await whyNotCompiled();
  throw new PruneError('unsupported', {
    where: 'kernels',
    what: fault?.what ?? 'kernels do not work in this JavaScript engine',
    got: wanted,
    wanted: fault?.wanted ?? 'auto',
    cause: result.cause,
  });
}

function isOwn(kernels: Kernels | 'native'): kernels is OwnKernels {
  return (KERNELS as readonly string[]).includes(kernels);
}

async function selectFastest(
  given: ReadonlyMap<WasmKernels, WebAssembly.Module> | undefined,
  compile: CompileKernels,
): Promise<SelectedKernels> {
  const faults: string[] = [];
  for (const kernels of AUTO) {
    if (given && !given.has(kernels)) {
      faults.push(`the option \`modules\` has no ${kernels}`);
      continue;
    }
    const result = await probeKernels(kernels, given?.get(kernels), compile);
    if (result.works) {
      return { ...selected(kernels, result, given !== undefined), compile, kernelsNote: noteOf(faults) };
    }
    faults.push(`${kernels} does not work in this JavaScript engine`);
  }
  const fault = given ? undefined : await whyNotCompiled();
  return reference(noteOf(fault ? [`${fault.what}; to be faster, it needs ${fault.wanted}`] : faults));
}

function selected(kernels: WasmKernels, { module, fused, dot4 }: Probe & { module: ProbedModule }, isGiven: boolean) {
  return { kernels, fused, dot4, given: isGiven ? module : undefined };
}

function reference(kernelsNote?: string): SelectedKernels {
  return { kernels: 'reference', kernelsNote, fused: false, dot4: false };
}

/** One sentence. */
function noteOf(faults: readonly string[]): string | undefined {
  if (faults.length === 0) return undefined;
  return `Faster kernels are not used: ${faults.join(', and ')}.`;
}
