/**
 * Compresses to a zlib stream (RFC 1950) at a level of 1 to 9. The array that is returned is the caller's; `bytes` does not change while a promise is open.
 * One that gives promises may be asked for several chunks at once.
 */
export type Deflate = (bytes: Uint8Array, level: Level) => Uint8Array | Promise<Uint8Array>;

/** Deflate levels; 0 stores. */
export type Level = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
