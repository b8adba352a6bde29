/**
 * The shape of a chunk of at most `chunkBytes` (or of one element), such that every chunk is one run of the row-major tensor: trailing dimensions
 * whole, one dimension divided evenly so that the last chunk is nearly full, leading dimensions 1. No dimension of `shape` is 0.
 */
export function splitChunks(shape: readonly number[], elementBytes: number, chunkBytes: number): number[] {
  const chunk = shape.map(() => 1);
  let run = elementBytes;
  for (let d = shape.length - 1; d >= 0; d--) {
    const most = Math.max(1, Math.floor(chunkBytes / run));
    chunk[d] = Math.ceil(shape[d] / Math.ceil(shape[d] / most));
    run *= chunk[d];
    if (chunk[d] < shape[d]) break;
  }
  return chunk;
}
