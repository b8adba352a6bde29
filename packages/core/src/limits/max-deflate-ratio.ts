/**
 * The most bytes that one byte of DEFLATE data can stand for. The longest match has 258 bytes and takes at least 2
 * bits, one for its length and one for its distance (RFC 1951, 3.2.5 and 3.2.7), which makes 4 * 258.
 */
export const MAX_DEFLATE_RATIO = 1032;
