/**
 * The most bytes that a byte of DEFLATE data can stand for: the longest match, of 258 bytes, takes a bit for its length and a bit for its distance at
 * least (RFC 1951, 3.2.5 and 3.2.7), which makes 4 * 258. Data that declares more is lying.
 */
export const MAX_DEFLATE_RATIO = 1032;
