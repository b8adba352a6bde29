import { sha256 } from '@noble/hashes/sha2.js';
import type { Sha256 } from '@prune/core';

/** A SHA-256 of bytes that come piece by piece. */
export interface RunningSha256 {
  update(bytes: Uint8Array): void;
  /** The 32 bytes; asked for once, at the end. */
  digest(): Uint8Array;
}

/** Starts a SHA-256. The Node entry of this package has Node's own, which is many times faster. */
export type CreateSha256 = () => RunningSha256;

/** The portable one. */
export const runningSha256: CreateSha256 = () => sha256.create();

/** A SHA-256 of bytes that are there. */
export function sha256Of(create: CreateSha256): Sha256 {
  return (bytes) => {
    const sum = create();
    sum.update(bytes);
    return sum.digest();
  };
}
