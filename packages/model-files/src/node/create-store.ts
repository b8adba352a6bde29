import { type Codec, PruneError, type TensorStoreWriter } from '@prune/core';
import { createH5File } from '@prune/h5-store/node';
import { codecList, type GzipLevel, MSGPACK_CODEC_NAMES, type MsgpackCodecName } from '@prune/msgpack-store';
import { createMsgpackFile, nodePlatform } from '@prune/msgpack-store/node';
import type { Preset } from '@prune/sparse-codec';
import { createBasedFile } from './create-based-file.js';
import { type StoreKind, storeOfName } from './model-path.js';
import type { RemoteOptions } from './remote-files.js';

/** What a `.prune` container can be written with. */
export const CODEC_NAMES = MSGPACK_CODEC_NAMES;

export type CodecName = MsgpackCodecName;

/** How a store is written; what is left out is the store's own default. */
export interface StoreOptions extends RemoteOptions {
  /** Where the file's name does not say. */
  readonly store?: StoreKind;
  /** Of a `.prune` container. */
  readonly codec?: CodecName;
  /** gzip level, 0 to 9; 0 is for HDF5 alone, a container has the codec `raw` for it. */
  readonly level?: number;
  /** Of the codec `entropy`: `fast` opens quickly, `max` is smallest. */
  readonly preset?: Preset;
  /**
   * Of a `.prune` container: another one, whose blocks are not stored again. It must be there, by its URL or its path
   * from the new file, whenever the new file is read. The whole model is written to a temporary file first.
   */
  readonly base?: string;
  /**
   * Replace the file that is there, and files beside an HDF5 file (config.json, vocab.txt, ...) that say something
   * else.
   */
  readonly force?: boolean;
}

/** A writer of the store that `path` is named for. Throws `invalid-argument` for options that do not belong to it, and what the store throws. */
export async function createStore(path: string, options: StoreOptions = {}): Promise<TensorStoreWriter> {
  const { codec, level, preset, base, force, openUrl, signal } = options;
  if (storeOfName(path, options.store) === 'msgpack') {
    const codecs = codecsOf(path, options);
    if (base !== undefined) return createBasedFile(path, { base, codecs, force, openUrl, signal });
    return createMsgpackFile(path, { codecs, force });
  }
  for (const [what, got] of Object.entries({ codec, preset, base })) {
    if (got !== undefined)
      throw new PruneError('invalid-argument', { where: path, what: `an HDF5 file has no ${what}`, got });
  }
  return createH5File(path, { level, force });
}

function codecsOf(path: string, { codec, level, preset }: StoreOptions): readonly Codec[] {
  if (level === 0) {
    throw new PruneError('invalid-argument', {
      where: path,
      what: 'gzip level',
      got: 0,
      wanted: '1 to 9, or the codec raw',
    });
  }
  return codecList(codec, { ...nodePlatform, level: level as GzipLevel | undefined, preset });
}
