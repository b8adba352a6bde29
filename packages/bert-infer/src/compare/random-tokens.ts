/** Rows of token ids that are the same for a seed in every engine (mulberry32), each in `[0, vocabSize)`. */
export function randomTokens(seed: number, rows: number, length: number, vocabSize: number): Int32Array[] {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) >>> 0;
  };
  return Array.from({ length: rows }, () =>
    Int32Array.from({ length }, () => Math.floor((next() / 2 ** 32) * vocabSize)),
  );
}
