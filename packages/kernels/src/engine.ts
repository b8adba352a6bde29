import type { LinearMode } from './reference/linear.js';
import type { Encoder } from './spec/encoder.js';
import type { Activation, AnyLinear, EncoderSpec, LayerNormParameters } from './spec/encoder-spec.js';
import type { LoadedLinear } from './spec/loaded-linear.js';

// TypeScript has the types of WebAssembly only in its DOM library, which programs for Node often leave out. Where it is
// there, the declarations merge.
declare global {
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
  }
}

/**
 * The kernels to compute with; all give the same bits. `wasm-wide` is relaxed SIMD written for an engine that joins its vectors in pairs (V8's
 * `--experimental-wasm-revectorize` on an x64; `wideKernels` of `@prune/kernels/node`); in any other it works, and is slower.
 */
export type Kernels = 'reference' | WasmKernels | NativeKernels;

/** The kernels that are WebAssembly. */
export type WasmKernels = 'wasm-simd' | 'wasm-relaxed' | 'wasm-wide';

/** Those of `@prune/kernels-native`, by the instructions of the processor that they need. */
export type NativeKernels = 'native-neon' | 'native-avx2' | 'native-avxvnni' | 'native-avx512';

/**
 * Compiled files of this package, by the name of the kernels: `@prune/kernels/wasm/relaxed.wasm` for `wasm-relaxed`, or
 * `relaxed-threads.wasm`, whose memory threads share. `simd` and `wide` likewise.
 */
export type KernelModules = { readonly [K in WasmKernels]?: WebAssembly.Module };

/** What computes: a set of kernels with its threads and memory. */
export interface Engine {
  readonly kernels: Kernels;
  /**
   * One sentence that says why `auto` did not choose the fastest kernels; `undefined` when it did, or when others were
   * asked for.
   */
  readonly kernelsNote?: string;
  /** Whether these sum four products in one instruction, as they do on a processor with VNNI; else two. Found out, not chosen. */
  readonly dot4: boolean;
  /** How many threads compute, the calling one included. */
  readonly threads: number;
  /** How many were asked for. */
  readonly threadsWanted: number;
  /** One sentence that says why fewer compute than were asked for; `undefined` when as many do. */
  readonly threadsNote?: string;
  /**
   * Checks an encoder's layers one by one and takes them in; the spec is not needed afterwards. Throws `mismatch`,
   * `corrupt`, `limit` (also without the memory), `not-finite`, `io` when a thread does not start.
   */
  loadEncoder(spec: EncoderSpec): Promise<Encoder>;
  /**
   * Checks a Linear outside the encoder, a head's, and takes it in; it computes on the calling thread. `name`: what errors call it. Throws `mismatch`, `corrupt`, `limit`,
   * `not-finite`.
   */
  loadLinear(linear: AnyLinear, mode: LinearMode, name?: string): LoadedLinear;
  /** LayerNorm over rows of `weight.length`. */
  layerNorm(x: Float32Array, parameters: LayerNormParameters, eps: number): Float32Array;
  /** Softmax over rows of `columns`. */
  softmax(x: Float32Array, columns: number): Float32Array;
  activate(x: Float32Array, activation: Activation): Float32Array;
  /**
   * Closes its encoders and Linears; resolves when their threads have ended. Every call from then on, of the engine,
   * its encoders or its Linears, throws `invalid-argument`, and so does a `loadEncoder` that is under way. Safe to call
   * twice.
   */
  close(): Promise<void>;
}
