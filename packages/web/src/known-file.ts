import { type HttpVersion, versionChange } from './http/http-version.js';
import type { HttpHead } from './http-head.js';

/** A file that the cache has, as far as one small request can tell it from others. */
export interface KnownFile {
  readonly head: Uint8Array;
  readonly size: number;
  readonly version?: HttpVersion;
}

/** Whether a server's file is the one that is known. Its first bytes have the size and a checksum of the manifest. */
export function isKnownFile({ bytes, size, version = {} }: HttpHead, known: KnownFile): boolean {
  return (
    bytes.length === known.head.length &&
    bytes.every((byte, i) => byte === known.head[i]) &&
    (size ?? known.size) === known.size &&
    versionChange(version, known.version ?? {}) === undefined
  );
}
