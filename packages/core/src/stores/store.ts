import { checkArgument } from '../errors/check-argument.js';
import { checkAborted } from '../errors/prune-error.js';
import { entriesOf } from '../stages/entries-of.js';
import type { Elementary, ElementaryEntries, ElementaryInfo, ElementaryStateDict } from '../stages/stages.js';
import type { ModelMetadata } from './metadata.js';

/** What a store can say of a value without decoding it. */
export interface StoredInfo extends ElementaryInfo {
  /** Bytes that the value takes in the file, its share of structure not counted. A value packed with others has its share. */
  readonly storedBytes: number;
  /** The codec's name: `raw`, `gzip`, ... */
  readonly codec: string;
  /** The file that has the stored bytes, where that is another one; as this file names it. */
  readonly base?: string;
}

/** A stored model, open for reading: the seam behind which the HDF5 file and the `.prune` container are the same. */
export interface TensorStore extends ElementaryStateDict {
  readonly metadata: ModelMetadata;
  info(name: string): StoredInfo | undefined;
  /** Reads and checks one value. Throws a PruneError that names the file and the tensor. */
  get(name: string): Promise<Elementary | undefined>;
  close(): Promise<void>;
}

/** A stored model being written. Nothing is visible under the final name before `finish`. */
export interface TensorStoreWriter {
  put(name: string, value: Elementary): Promise<void>;
  finish(metadata: ModelMetadata): Promise<void>;
  /** Drops what was written; the old file, if any, is as it was. Safe after a failed `put` or `finish`. */
  abort(): Promise<void>;
}

/**
 * Writes every entry and finishes; aborts, and throws, when an entry or the writer fails or `signal` is aborted. The
 * files of the metadata are read first, so that a store that was closed too early fails before the long work.
 */
export async function writeStore(
  writer: TensorStoreWriter,
  entries: ElementaryEntries,
  metadata: ModelMetadata,
  options: { readonly signal?: AbortSignal; readonly onEntry?: (name: string, value: Elementary) => void } = {},
): Promise<void> {
  const what = 'writer of writeStore';
  const wanted = 'what createStore of @prune/model-files/node, or a store of your own, gives';
  checkArgument(typeof writer?.put === 'function' && typeof writer.abort === 'function', { what, wanted }, writer);
  try {
    checkEntries(entries);
    checkArgument(
      typeof metadata === 'object' && metadata !== null,
      { what: 'metadata of writeStore', wanted: 'an object, which may be empty' },
      metadata,
    );
    const { files } = metadata;
    const held = files && new Map<string, Uint8Array>();
    if (files && held) for await (const [name, bytes] of entriesOf(files)) held.set(name, bytes);
    for await (const [name, value] of entries) {
      checkAborted(options.signal);
      await writer.put(name, value);
      options.onEntry?.(name, value);
    }
    checkAborted(options.signal);
    await writer.finish(held ? { ...metadata, files: held } : metadata);
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

function checkEntries(entries: unknown): void {
  const { [Symbol.iterator]: plain, [Symbol.asyncIterator]: inTurns } = Object(entries) as {
    readonly [Symbol.iterator]?: unknown;
    readonly [Symbol.asyncIterator]?: unknown;
  };
  const fits = typeof entries === 'object' && [plain, inTurns].some((method) => typeof method === 'function');
  const wanted = 'a Map, or pairs of a name and a value, such as those of packCheckpoint';
  checkArgument(fits, { what: 'entries of writeStore', wanted }, entries);
}
