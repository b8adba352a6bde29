/** A Linear that is ready to compute. */
export interface LoadedLinear {
  /** The length of its output. */
  readonly rows: number;
  /** As `Encoder.memoryBytes`. */
  readonly memoryBytes?: number;
  /**
   * Float32 `x` `[tokens, columns]` to `[tokens, rows]`, in memory of its own. Where the activations are quantized per
   * tensor, their range spans all tokens given. Throws `mismatch`, `limit`, `not-finite` for an input that is not, or
   * results that overflow, and `invalid-argument` when it, or its engine, is closed.
   */
  apply(x: Float32Array): Float32Array;
  /** Lets go of its memory, which garbage collection frees. Safe to call twice. */
  close(): void;
}
