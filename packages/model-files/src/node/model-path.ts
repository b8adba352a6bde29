import { stat } from 'node:fs/promises';
import { PruneError, type RandomAccess } from '@prune/core';
import { checkPath, type OpenSourceOptions, openSource } from '@prune/core/node';
import { isMsgpackStore } from '@prune/msgpack-store';
import { isUrl, openFile, type RemoteOptions } from './remote-files.js';

/** The two stores: HDF5 and the `.prune` container. */
export type StoreKind = 'h5' | 'msgpack';

// Not an object, which has more names than its own: `constructor` is no store.
const STORE_OF_EXTENSION: ReadonlyMap<string, StoreKind> = new Map([
  ['h5', 'h5'],
  ['hdf5', 'h5'],
  ['prune', 'msgpack'],
]);

const HDF5_SIGNATURE = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');
const HEAD_BYTES = HDF5_SIGNATURE.byteLength;
const LEAST_USER_BLOCK = 512;

/** What a path holds. */
export interface FoundModel {
  readonly form: StoreKind | 'checkpoint';
  /**
   * The bytes of a pipe, which can be read once and have been read to tell the form, or the open file of a URL.
   */
  readonly opened?: Required<RandomAccess>;
}

/**
 * Tells by the first bytes what the file, folder, pipe or URL at `path` holds. Throws `missing`, `io`, `limit`, and
 * `corrupt` when it is named as a store and does not begin as one.
 */
export async function findModel(path: string, options: OpenSourceOptions & RemoteOptions = {}): Promise<FoundModel> {
  checkPath(path);
  if (isUrl(path)) return findRemote(await openFile(path, options));
  const info = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw new PruneError('io', { where: path, what: cause.message, cause });
    throw new PruneError('missing', { where: path, what: 'no such file or folder', cause });
  });
  if (info.isDirectory()) return { form: 'checkpoint' };
  const source = await openSource(path, options);
  const piped = info.isFile() ? undefined : source;
  try {
    const head = await source.read(0, Math.min(HEAD_BYTES, source.size));
    const named = STORE_OF_EXTENSION.get(extensionOf(path));
    if (named === 'h5' && (await hasUserBlock(source))) return { form: 'h5', opened: piped };
    return { form: formOfHead(head, path), opened: piped };
  } finally {
    if (piped === undefined) await source.close();
  }
}

/** Of the forms, only a container can be read by ranges. */
async function findRemote(opened: Required<RandomAccess>): Promise<FoundModel> {
  try {
    const head = await opened.read(0, Math.min(HEAD_BYTES, opened.size));
    if (isMsgpackStore(head)) return { form: 'msgpack', opened };
    const what = 'not a .prune container, and only those are opened by URL';
    throw new PruneError('unsupported', { where: opened.name, what });
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Whether a file that is named as HDF5 has its signature past a user block: at 512 bytes, 1024, 2048 and so on. */
async function hasUserBlock(source: RandomAccess): Promise<boolean> {
  for (let at = LEAST_USER_BLOCK; at + HEAD_BYTES <= source.size; at *= 2) {
    if (HDF5_SIGNATURE.equals(await source.read(at, HEAD_BYTES))) return true;
  }
  return false;
}

function formOfHead(head: Uint8Array, path: string): StoreKind | 'checkpoint' {
  if (HDF5_SIGNATURE.equals(head)) return 'h5';
  if (isMsgpackStore(head)) return 'msgpack';
  const named = STORE_OF_EXTENSION.get(extensionOf(path));
  if (named === undefined) return 'checkpoint';
  const got = [...head].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new PruneError('corrupt', { where: path, what: `does not begin as a ${named} store`, got: got || 'nothing' });
}

/** The store that a file of this name gets. Throws `invalid-argument` when the name does not say and `wanted` does not either. */
export function storeOfName(path: string, wanted?: StoreKind): StoreKind {
  checkPath(path);
  const named = STORE_OF_EXTENSION.get(extensionOf(path));
  if (wanted !== undefined && named !== undefined && wanted !== named) {
    throw new PruneError('invalid-argument', { where: path, what: `the name is one of a ${named} store`, got: wanted });
  }
  const store = wanted ?? named;
  if (store === undefined) {
    throw new PruneError('invalid-argument', {
      where: path,
      what: 'cannot tell the store from the name',
      wanted: '.prune or .h5, or --store',
    });
  }
  return store;
}

function extensionOf(path: string): string {
  return /\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
}
