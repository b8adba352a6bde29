import { UnknownStructure } from './unknown-structure.js';

let decoder: TextDecoder | undefined;

/** UTF-8 as text, a byte order mark included. Throws a TypeError for bytes that are none. One decoder for all: to make one takes longer than a name. */
export function decodeUtf8(bytes: Uint8Array): string {
  decoder ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  return decoder.decode(bytes);
}

/** A name in a file: UTF-8 without a NUL. Throws `UnknownStructure`. */
export function decodeName(bytes: Uint8Array): string {
  let name: string;
  try {
    name = decodeUtf8(bytes);
  } catch {
    throw new UnknownStructure('a name is not UTF-8');
  }
  if (name.includes('\0')) throw new UnknownStructure('a name with a NUL');
  return name;
}
