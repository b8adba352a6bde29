/**
 * The head of a block of codec `json-vocabulary`: the CRC-32 of the whole file, the bytes before its entries (4 bytes
 * each), the bytes between a token and its id, and between two entries (1 byte each).
 */
export interface VocabularyHead {
  readonly crc32: number;
  readonly before: number;
  readonly colon: number;
  readonly between: number;
}

export const HEAD_BYTES = 10;

/** The most that a byte holds. */
export const MOST_MARK_BYTES = 255;

export function writeHead({ crc32, before, colon, between }: VocabularyHead): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, crc32, true);
  view.setUint32(4, before, true);
  bytes[8] = colon;
  bytes[9] = between;
  return bytes;
}

/** `bytes` has {@link HEAD_BYTES} at least. */
export function readHead(bytes: Uint8Array): VocabularyHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { crc32: view.getUint32(0, true), before: view.getUint32(4, true), colon: bytes[8], between: bytes[9] };
}
