import type { Pacer } from './pacer.js';

/** Elements of a block: a simple loop over them takes a tenth of a millisecond, one that decodes them less than one. */
const BLOCK = 2 ** 16;

/**
 * Does long work on the items `0 .. length`, each of `width` elements, block by block, with the pacer's pauses between.
 * `work(from, to)` is a plain function, because V8 does not optimize a loop that is inside an async function while it
 * runs: reading a `csr-gzip` matrix so took 1.7 times as long.
 */
export async function inBlocks(
  length: number,
  pacer: Pacer,
  work: (from: number, to: number) => void,
  width = 1,
): Promise<void> {
  const block = Math.max(1, Math.floor(BLOCK / width));
  for (let from = 0; from < length; from += block) {
    await pacer.pause();
    work(from, Math.min(from + block, length));
  }
}
