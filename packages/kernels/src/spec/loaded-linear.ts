/** A Linear that is ready to compute. */
export interface LoadedLinear {
  /** The length of its output. */
  readonly rows: number;
  /**
   * Float32 `x` `[tokens, columns]` to `[tokens, rows]`, in memory of its own. Where the activations are quantized per tensor, their range spans all
   * tokens given. Throws `mismatch`, `limit`, and `not-finite` for an input that is not, or results that overflow.
   */
  apply(x: Float32Array): Float32Array;
}
