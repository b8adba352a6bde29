/** A run of bytes of one kind in what is compressed: one plane of a float tensor, the gaps of a matrix. */
export interface Segment {
  readonly length: number;
  /** The bytes `[start, end)`; a large segment is made piece by piece. */
  read(start: number, end: number): Uint8Array;
  /** The tensor that it codes, see `EncodedPiece`. */
  readonly tensor?: number;
}

/** A segment of bytes in memory. */
export function segmentOf(bytes: Uint8Array, tensor?: number): Segment {
  return { length: bytes.length, read: (start, end) => bytes.subarray(start, end), tensor };
}
