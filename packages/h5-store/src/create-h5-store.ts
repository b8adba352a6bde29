import { type ModelMetadata, memorySink, PruneError, type TensorStoreWriter } from '@prune/core';
import { metadataFiles } from './metadata-files.js';
import { memoryBytes } from './read/file-bytes.js';
import { inflateWithFflate } from './read/inflate.js';
import { checkWritten } from './write/check-written.js';
import type { H5WriteOptions } from './write/defaults.js';
import { writeH5 } from './write/write-h5.js';

/** Options of {@link createH5Store}. */
export interface CreateH5Options extends H5WriteOptions {
  /** For messages. */
  readonly name?: string;
}

/** A store that is written to memory. */
export interface H5StoreWriter extends TensorStoreWriter {
  /** The HDF5 file, once finished. Throws `invalid-argument` before. */
  bytes(): Uint8Array;
  /** The files that belong beside it (`metadata.json`, `config.json`, `vocab.txt`, ...), once finished. */
  files(): ReadonlyMap<string, Uint8Array>;
}

/**
 * Starts an HDF5 file in the notebook's layout, in memory. The finished file is read back, every element, before it is given out.
 * The same entries give the same bytes. Throws `invalid-argument`, `mismatch` or `unsupported` with the tensor's name.
 */
export async function createH5Store(options: CreateH5Options = {}): Promise<H5StoreWriter> {
  const where = options.name ?? 'HDF5 file';
  const sink = memorySink();
  const writing = await writeH5(sink, where, options);
  let state: 'open' | 'finished' | 'aborted' = 'open';
  let files = new Map<string, Uint8Array>();

  function want(wanted: typeof state) {
    if (state !== wanted)
      throw new PruneError('invalid-argument', { where, what: 'the writer is in another state', got: state, wanted });
  }
  return {
    async put(name, value) {
      want('open');
      await writing.put(name, value);
    },
    async finish(metadata: ModelMetadata) {
      want('open');
      files = await metadataFiles(metadata, where);
      await writing.finish();
      await checkWritten(memoryBytes(sink.bytes()), { where, inflate: inflateWithFflate }, writing.entries);
      state = 'finished';
    },
    async abort() {
      if (state === 'open') state = 'aborted';
      await writing.stop();
      await sink.abort();
    },
    bytes() {
      want('finished');
      return sink.bytes();
    },
    files() {
      want('finished');
      return files;
    },
  };
}
