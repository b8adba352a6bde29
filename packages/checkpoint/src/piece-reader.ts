import type { RandomAccess } from '@prune/core';

/** Bytes in a piece: large enough that asking for one costs nothing, small enough to stay in a processor's cache. A multiple of any element. */
const PIECE_BYTES = 1 << 20;

/**
 * Reads ranges of a source piece by piece, the next piece while one is used. A piece is there until the next is asked for: its memory is used again, for
 * fresh memory costs as much as reading into it (three times the time for a whole checkpoint).
 */
export function pieceReader(
  source: RandomAccess,
  pieceBytes = PIECE_BYTES,
): (begin: number, end: number) => AsyncGenerator<Uint8Array, void> {
  const free: Uint8Array[] = [];
  return async function* (begin, end) {
    function readAt(offset: number) {
      const scratch = free.pop() ?? new Uint8Array(pieceBytes);
      const reading = source.read(offset, Math.min(pieceBytes, end - offset), scratch);
      // Told when its turn comes; it is no unhandled rejection until then.
      reading.catch(() => {});
      return { scratch, reading };
    }
    let ahead = begin < end ? readAt(begin) : undefined;
    try {
      for (let offset = begin; ahead !== undefined; offset += pieceBytes) {
        const { scratch, reading } = ahead;
        const bytes = await reading;
        ahead = offset + pieceBytes < end ? readAt(offset + pieceBytes) : undefined;
        yield bytes;
        free.push(scratch);
      }
    } finally {
      // Nothing is read any more once the caller has left.
      await ahead?.reading.catch(() => {});
    }
  };
}
