let decoder: TextDecoder | undefined;

/** UTF-8 as text, a byte order mark included. Throws a TypeError for bytes that are none. One decoder for all: to make one takes longer than a name. */
export function decodeUtf8(bytes: Uint8Array): string {
  decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return decoder.decode(bytes);
}
