import type { Progress } from '@prune/core';

/** Options of {@link Encoder.forward}. */
export interface ForwardOptions {
  /** How many of each sequence's first tokens are attended to, 1 to its length. Default: all. */
  readonly keyLengths?: ArrayLike<number>;
  /** Whether to keep what goes into the first layer and every layer's output. Default: false. */
  readonly hiddenStates?: boolean;
  /** Stops the pass when it next returns to the event loop, or while it waits for its turn. */
  readonly signal?: AbortSignal;
  /** Called when one more layer is done, or several are: how many of all. What it throws stops the pass. */
  readonly onLayer?: (progress: Progress) => void;
}

/** What an encoder computed, float32 `[tokens, hiddenSize]` each, in memory of its own. */
export interface EncoderOutput {
  /** The last layer's output; what would go into the first when there is no layer. */
  readonly last: Float32Array;
  /** What goes into the first layer and every layer's output; only there when they were asked for. */
  readonly all?: readonly Float32Array[];
}

/** An encoder that is ready to compute. */
export interface Encoder {
  readonly hiddenSize: number;
  readonly layers: number;
  /**
   * Bytes of its memory: weights, and what the largest batch so far needed to work. `undefined` with the reference
   * kernels, which have no memory of their own; 0 once closed.
   */
  readonly memoryBytes?: number;
  /**
   * Runs float32 `hidden` `[tokens, hiddenSize]` through all layers; sequence s has `lengths[s]` tokens, one after the
   * other, padding is not there. Where activations are quantized per tensor, the range of a tensor spans all tokens
   * given. The pass returns to the event loop about every 20 ms, inside a layer too, where the kernels are WebAssembly;
   * the reference kernels return between layers.
   * Passes of one encoder compute one after the other, in the order of the calls. `hidden` must stay as it is until the
   * promise is settled.
   * Rejects with `mismatch`, `invalid-argument` (also when the encoder, or its engine, is closed), `aborted`, `limit`
   * without the memory for the batch, `not-finite` when a value overflows, and `io` when a thread dies: the next pass
   * computes on the calling thread alone until new threads have started, with the same bits.
   */
  forward(hidden: Float32Array, lengths: ArrayLike<number>, options?: ForwardOptions): Promise<EncoderOutput>;
  /**
   * Lets the passes finish that were called before, ends the threads and lets go of the memory, which garbage
   * collection frees; the encoder cannot be used afterwards. Resolves when the threads have ended. Safe to call twice.
   */
  close(): Promise<void>;
}
