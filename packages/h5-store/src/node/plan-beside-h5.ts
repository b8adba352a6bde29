import type { ModelMetadata } from '@prune/core';
import type { FilesBeside, FolderFiles } from '@prune/core/node';
import { filesWrittenWith, listWritten, PRUNE_FILE } from '../metadata-files.js';

/** What belongs beside an HDF5 file, and what has to go, from what its folder holds. */
export async function planBesideH5(
  folder: FolderFiles,
  files: ReadonlyMap<string, Uint8Array>,
  metadata: ModelMetadata,
): Promise<FilesBeside> {
  const stale = filesWrittenWith(await folder.read(PRUNE_FILE));
  const notOurs: string[] = [];
  for (const [name, bytes] of files) {
    if (!stale.includes(name) && (await folder.says(name, bytes))) notOurs.push(name);
  }
  return { files: listWritten(files, metadata, notOurs), stale };
}
