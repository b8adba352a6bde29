import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { NativeKernels } from '@prune/kernels';

/** Statuses of native/prune_native.h, in its order. */
export const STATUSES = [
  'ok',
  'bad-argument',
  'bad-column',
  'no-memory',
  'input-not-finite',
  'layer-not-finite',
  'aborted',
  'no-thread',
] as const;

/** Kernels in the order of pn_kernels: the best last. */
export const NATIVE_KERNELS = [
  'native-neon',
  'native-avx2',
  'native-avxvnni',
  'native-avx512',
] as const satisfies readonly NativeKernels[];

/** An encoder or a Linear of the C side. Freed by `free`, or by garbage collection. */
export interface NativeHandle {
  readonly handle: unique symbol;
}

/** The functions of native/addon.c. What they give is a place in {@link STATUSES}, unless it is said otherwise. */
export interface Addon {
  /** Bits: kernels that are compiled in and run here; or that C code emulates, in a build for tests. */
  available(): number;
  emulated(): number;
  probe(kernels: number): boolean;
  linear(
    kernels: number,
    profile: number,
    rows: number,
    columns: number,
    scales: Float32Array,
    bias: Float32Array | null,
  ): NativeHandle | number;
  /** Gives `end`, the place of the first wrong column, or a status as a negative number. */
  row(linear: NativeHandle, indices: Uint16Array | Int32Array, data: Int8Array, start: number, end: number): number;
  rows(linear: NativeHandle, indptr: Int32Array, indices: Uint16Array | Int32Array, data: Int8Array): number;
  endLinear(linear: NativeHandle): number;
  floatLinear(
    kernels: number,
    rows: number,
    columns: number,
    weight: Float32Array,
    bias: Float32Array | null,
  ): NativeHandle | number;
  linearBytes(linear: NativeHandle): number;
  apply(linear: NativeHandle, rowwise: boolean, x: Float32Array, y: Float32Array): number;
  encoder(
    kernels: number,
    profile: number,
    activation: number,
    rowwise: boolean,
    int16: boolean,
    hidden: number,
    headSize: number,
    eps: number,
    threads: number,
  ): NativeHandle | number;
  addLinear(encoder: NativeHandle, linear: NativeHandle): number;
  addNorm(encoder: NativeHandle, weight: Float32Array, bias: Float32Array, ofInput: boolean): number;
  start(encoder: NativeHandle): number;
  bytes(encoder: NativeHandle): number;
  /** `callback` gets -1 and how many layers are done, at last a status and a layer. */
  pass(
    encoder: NativeHandle,
    input: Float32Array,
    lengths: Int32Array,
    keyLengths: Int32Array,
    outputs: readonly Float32Array[],
    reportsLayers: boolean,
    callback: (status: number, layer: number) => void,
  ): number;
  abort(encoder: NativeHandle): void;
  free(handle: NativeHandle): number;
}

/** Where the addon for this machine is built in the repository. */
export function addonPath(name: 'prune' | 'prune-emulated'): string {
  return fileURLToPath(new URL(`../build/${process.platform}-${process.arch}/${name}.node`, import.meta.url));
}

/**
 * Loads the addon for this machine: the one built here, otherwise that of the platform's package. Packed packages have
 * no build, so that its place is only taken in the repository, where C code that has just changed is what must run. Throws
 * what Node throws where there is no addon, or none that loads.
 */
export function loadAddon(name: 'prune' | 'prune-emulated' = 'prune'): Addon {
  const require = createRequire(import.meta.url);
  const built = addonPath(name);
  return require(existsSync(built) || name === 'prune-emulated' ? built : platformPackage()) as Addon;
}

/** The package that holds the addon of this machine, whether there is such a package or not. */
export function platformPackage(): string {
  const libc = process.platform === 'linux' && !hasGlibc() ? '-musl' : '';
  return `@prune/kernels-native-${process.platform}-${process.arch}${libc}`;
}

/** An addon for the other C library of Linux may load, and crash later. */
function hasGlibc(): boolean {
  const { report } = process as { report?: { excludeNetwork?: boolean; getReport(): object } };
  // The runtimes that have no reports are built for glibc alone.
  if (report === undefined) return true;
  // Otherwise the report looks up the names of every open connection, which takes seconds.
  const { excludeNetwork } = report;
  report.excludeNetwork = true;
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
    return header?.glibcVersionRuntime !== undefined;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}
