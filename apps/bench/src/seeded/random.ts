/** Uniform random integers; the same on every machine: 32-bit integer arithmetic alone. */
export interface Random {
  /** An integer in `[0, 2^32)`. */
  uint32(): number;
  /**
   * Near-normal, mean 0, deviation 1, |z| < 6.1: the sum of twelve 16-bit uniforms (Irwin-Hall), refined by 32 more bits.
   * No logarithm, sine or exponential: those differ between JavaScript engines, sums and products of float64 do not.
   */
  normal(): number;
}

/** Numbers made at a time: the generator's state stays in registers inside the loop that makes them. */
const BLOCK = 4096;

/** A stream of its own for each name: sfc32 (Chris Doty-Humphrey, PractRand), seeded by an FNV-1a hash of the name. */
export function random(name: string): Random {
  const block = new Uint32Array(BLOCK);
  let next = BLOCK;
  let [a, b, c, counter] = [fnv1a(name, 0x811c9dc5), fnv1a(name, 0x01000193), fnv1a(name, 0x9e3779b9), 1];

  function refill() {
    let [x, y, z, n] = [a, b, c, counter];
    for (let i = 0; i < BLOCK; i++) {
      const t = (((x + y) | 0) + n) | 0;
      n = (n + 1) | 0;
      x = y ^ (y >>> 9);
      y = (z + (z << 3)) | 0;
      z = (((z << 21) | (z >>> 11)) + t) | 0;
      block[i] = t;
    }
    [a, b, c, counter] = [x, y, z, n];
    next = 0;
  }
  function uint32() {
    if (next === BLOCK) refill();
    return block[next++];
  }
  for (let i = 0; i < 16; i++) uint32();
  return {
    uint32,
    normal() {
      let sum = uint32() / 2 ** 32 - 0.5;
      for (let i = 0; i < 6; i++) {
        const two = uint32();
        sum += (two & 0xffff) + (two >>> 16);
      }
      // Twelve uniforms on [0, 2^16) have the variance 2^32 and the mean 12 * (2^16 - 1) / 2.
      return (sum - 393_210) / 65_536;
    },
  };
}

function fnv1a(text: string, basis: number): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
