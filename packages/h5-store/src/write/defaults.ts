/** What the writer does unless it is told otherwise. */
export const H5_DEFAULTS = {
  /** Deflate level, 0 (stored as they are) to 9: the notebook's. */
  level: 9,
  /**
   * Bytes of a chunk before compression, at most. One chunk a dataset is smallest (BERT-base, fflate: 9.9 MB, 10.3 MB with 16 KiB);
   * the bound keeps what one chunk needs in memory small where a table has 94 MB.
   */
  chunkBytes: 2 ** 20,
  /**
   * HDF5's byte shuffle in front of deflate: the bytes of equal rank of all elements next to each other. Every HDF5 library has it built in.
   * BERT-base, fflate: 9.9 MB with it, 10.9 MB without.
   */
  shuffle: true,
} as const;

/** How an HDF5 store is written; what is left out is {@link H5_DEFAULTS}. */
export interface H5WriteOptions {
  /** Deflate level, 0 to 9. */
  readonly level?: number;
  /** Bytes of a chunk before compression, at most. */
  readonly chunkBytes?: number;
  /** Whether to shuffle bytes in front of deflate. */
  readonly shuffle?: boolean;
}
