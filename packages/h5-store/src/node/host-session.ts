import { PruneError } from '@prune/core';
import { type H5Session, isNodeBuild, openSession, startH5Wasm } from '../h5wasm/h5-session.js';
import type { H5WasmSource } from '../h5wasm/h5-wasm.js';

/**
 * A session on a file of the host, of `size` bytes. Throws `invalid-argument` for the build of h5wasm that sees none.
 */
export async function hostSession(
  h5wasm: H5WasmSource | null,
  absolute: string,
  where: string,
  size: number,
): Promise<H5Session> {
  const module = await startH5Wasm(h5wasm, where);
  if (!isNodeBuild(module)) {
    throw new PruneError('invalid-argument', {
      where,
      what: 'h5wasm sees no files of the host',
      got: "the build 'h5wasm'",
      wanted: "the build 'h5wasm/node'",
    });
  }
  return openSession(module, absolute, where, size);
}
