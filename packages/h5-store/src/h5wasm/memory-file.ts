import { PruneError } from '@prune/core';
import { type FileBytes, memoryBytes } from '../read/file-bytes.js';
import { type H5Session, isNodeBuild, openSession, startH5Wasm } from './h5-session.js';
import type { H5WasmSource } from './h5-wasm.js';

/** A session on bytes in h5wasm's own memory file system. The bytes are not copied; `remove` takes the file away again. */
export async function memoryFile(
  h5wasm: H5WasmSource | null,
  bytes: Uint8Array,
  where: string,
): Promise<{ session: H5Session; path: string; file: FileBytes; remove(): void }> {
  const module = await startH5Wasm(h5wasm, where);
  if (isNodeBuild(module)) {
    throw new PruneError('invalid-argument', {
      where,
      what: 'h5wasm has no memory file system',
      got: "the build 'h5wasm/node'",
      wanted: "the build 'h5wasm'",
    });
  }
  let number = 0;
  while (module.FS.analyzePath(`/prune-${number}.h5`).exists) number++;
  const path = `/prune-${number}.h5`;
  const session = openSession(module, path, where, bytes.byteLength);
  session.run('making a file in memory', undefined, ({ FS }) => {
    // h5wasm's types leave out `canOwn`, which spares the copy.
    const fs = FS as typeof FS & { writeFile(path: string, data: Uint8Array, options: { canOwn: boolean }): void };
    fs.writeFile(path, bytes, { canOwn: true });
  });
  return {
    session,
    path,
    file: memoryBytes(bytes),
    remove: () => module.FS.unlink(path),
  };
}
