import { PruneError } from '@prune/core';

const PREFIX = 'sha256-';

/** The SHA-256 of a manifest as its file has it, written as in HTML's `integrity`: `sha256-` and base64. */
export function integrityOf(sha256: Uint8Array): string {
  return PREFIX + btoa(String.fromCharCode(...sha256));
}

/** Throws `invalid-argument` for text that is not what {@link integrityOf} writes. */
export function checkIntegrity(integrity: string): void {
  if (/^sha256-[A-Za-z0-9+/]{43}=$/.test(integrity)) return;
  throw new PruneError('invalid-argument', { what: 'integrity', got: integrity, wanted: 'sha256- and 44 characters' });
}
