import { basename, resolve } from 'node:path';
import { type ModelMetadata, PruneError, type TensorStoreWriter } from '@prune/core';
import { fileGroup } from '@prune/core/node';
import { metadataFiles } from '../metadata-files.js';
import { checkWritten } from '../write/check-written.js';
import type { H5WriteOptions } from '../write/defaults.js';
import { type H5Writing, writeH5 } from '../write/write-h5.js';
import { hostBytes } from './host-bytes.js';
import { nodeDeflate } from './node-deflate.js';
import { nodeInflate, nodeInflateBeside } from './node-inflate.js';
import { planBesideH5 } from './plan-beside-h5.js';

/** Options of {@link createH5File}. */
export interface CreateH5FileOptions extends H5WriteOptions {
  /**
   * Replace the file that is there, and files beside it (config.json, vocab.txt, ...) that say something else. Default
   * false: refuse, naming the file.
   */
  readonly force?: boolean;
}

/**
 * Starts an HDF5 file in the notebook's layout at `path`. It, and the files beside it, become visible together when
 * `finish` succeeds (see `fileGroup` of `@prune/core/node`), after every element of the HDF5 file has been read back.
 *
 * A file beside it that exists is kept when it says the same (JSON is compared as JSON). When it says something else,
 * `finish` throws `mismatch` and writes nothing, unless `force` is set. Files that were written with the old model, by
 * its `prune.json`, are removed when the new one has none of that name. Throws `invalid-argument` when there is a file
 * at `path` and `force` is not set, and for a pipe or a device, since HDF5 is not written front to back.
 */
export async function createH5File(path: string, options: CreateH5FileOptions = {}): Promise<TensorStoreWriter> {
  const group = await fileGroup(path, { force: options.force });
  let open = true;
  let writing: H5Writing | undefined;

  async function abort() {
    open = false;
    await writing?.stop();
    await group.abort();
  }
  function wantOpen() {
    if (!open) throw new PruneError('invalid-argument', { where: path, what: 'the writer is finished or aborted' });
  }

  try {
    writing = await writeH5(group.main, path, options, nodeDeflate);
  } catch (error) {
    await abort();
    throw error;
  }
  const { entries, put, finish } = writing;
  return {
    async put(name, value) {
      wantOpen();
      await put(name, value);
    },
    async finish(metadata: ModelMetadata) {
      wantOpen();
      const files = await metadataFiles(metadata, path);
      if (files.has(basename(resolve(path)))) {
        throw new PruneError('invalid-argument', { where: path, what: 'the name is taken by a file beside it' });
      }
      await finish();
      const { file, close } = hostBytes(group.main.temporaryPath, path);
      try {
        await checkWritten(file, { where: path, inflate: nodeInflate, inflateBeside: nodeInflateBeside }, entries);
      } finally {
        close();
      }
      await group.commit((folder) => planBesideH5(folder, files, metadata));
      open = false;
    },
    async abort() {
      if (open) await abort();
    },
  };
}
