/**
 * The bytes that a file of `fileBytes` may expand to in all, inflated or as views of one storage. DEFLATE
 * alone allows 1032 times: a file of 100 MB could fill a disk. A matrix of float32 with 99 % zeros deflates to about a
 * 70th, and a model's embeddings are dense.
 */
export function maxExpandedBytes(fileBytes: number): number {
  return 2 ** 26 + 256 * fileBytes;
}
