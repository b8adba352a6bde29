import { open, stat } from 'node:fs/promises';
import { PruneError } from '@prune/core';
import { isMsgpackStore } from '@prune/msgpack-store';

/** The two stores: HDF5 and the `.prune` container. */
export type StoreKind = 'h5' | 'msgpack';

// Not an object, which has more names than its own: `constructor` is no store.
const STORE_OF_EXTENSION: ReadonlyMap<string, StoreKind> = new Map([
  ['h5', 'h5'],
  ['hdf5', 'h5'],
  ['prune', 'msgpack'],
]);

const HDF5_SIGNATURE = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');

/**
 * What the file or folder at `path` holds, told by its first bytes. Throws `missing`, and `corrupt` when it is named as a store and does not begin as one.
 */
export async function modelForm(path: string): Promise<StoreKind | 'checkpoint'> {
  const info = await stat(path).catch((error) => {
    throw new PruneError('missing', { where: path, what: 'no such file or folder', cause: error });
  });
  if (info.isDirectory()) return 'checkpoint';
  const file = await open(path);
  try {
    const head = Buffer.alloc(8);
    const { bytesRead } = await file.read(head, 0, 8, 0);
    if (head.equals(HDF5_SIGNATURE)) return 'h5';
    if (isMsgpackStore(head)) return 'msgpack';
    const named = STORE_OF_EXTENSION.get(extensionOf(path));
    if (named === undefined) return 'checkpoint';
    const got = [...head.subarray(0, bytesRead)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new PruneError('corrupt', { where: path, what: `does not begin as a ${named} store`, got: got || 'nothing' });
  } finally {
    await file.close();
  }
}

/** The store that a file of this name gets. Throws `invalid-argument` when the name does not say and `wanted` does not either. */
export function storeOfName(path: string, wanted?: StoreKind): StoreKind {
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
