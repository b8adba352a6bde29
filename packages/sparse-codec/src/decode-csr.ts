import type { CsrMatrix } from '@prune/core';
import { type DecodeOptions, openCsr } from './open-csr.js';

/** The matrix of what `encodeCsr` made; errors as `openCsr` has them. */
export function decodeCsr(bytes: Uint8Array, options: DecodeOptions = {}): CsrMatrix {
  return openCsr(bytes, options).decode();
}
