import { PruneError } from '@prune/state-dict';

/** A stored string: UTF-8, up to its first NUL. Throws `corrupt`. */
export function decodeString(bytes: Uint8Array, place: { readonly where: string; readonly tensor: string }): string {
  const nul = bytes.indexOf(0);
  try {
    const text = nul === -1 ? bytes : bytes.subarray(0, nul);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  } catch (cause) {
    throw new PruneError('corrupt', { ...place, what: 'string is not UTF-8', cause });
  }
}
