import { PruneError } from '@prune/core';
import { decodeUtf8 } from './utf8.js';

/** A stored string: UTF-8, up to its first NUL. Throws `corrupt`. */
export function decodeString(bytes: Uint8Array, place: { readonly where: string; readonly tensor: string }): string {
  const nul = bytes.indexOf(0);
  try {
    const text = nul === -1 ? bytes : bytes.subarray(0, nul);
    return decodeUtf8(text);
  } catch (cause) {
    throw new PruneError('corrupt', { ...place, what: 'string is not UTF-8', cause });
  }
}
