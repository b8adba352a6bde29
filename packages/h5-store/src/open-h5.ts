import {
  DEFAULT_LIMITS,
  type Limits,
  locateError,
  type ModelMetadata,
  PruneError,
  type TensorStore,
} from '@prune/core';
import type { H5Session } from './h5wasm/h5-session.js';
import { readWithH5wasm } from './h5wasm/read-with-h5wasm.js';
import type { FileBytes } from './read/file-bytes.js';
import { fileIndex, type IndexEntry } from './read/file-index.js';
import type { Inflate, InflateBeside } from './read/inflate.js';
import { pastUserBlock } from './read/past-user-block.js';
import { budgetedFile } from './read/read-budget.js';
import { readValue } from './read/read-values.js';

/** What opening a file needs besides its bytes. */
export interface OpenH5 {
  readonly where: string;
  readonly metadata: ModelMetadata;
  readonly limits?: Limits;
  readonly inflate: Inflate;
  readonly inflateBeside?: InflateBeside;
  /** Starts h5wasm on the file; `remove` undoes what it did. */
  startHdf5(): Promise<{ readonly session: H5Session; readonly path: string; remove?(): void }>;
  /** Runs once the file is closed, also when it could not be opened. */
  onClose?(): void;
}

/**
 * Opens a file as a store, in two steps: its index says what is where, then each value is read when it is asked for. A file that the own reader does not
 * know all of is read by HDF5's library instead. Throws what either of them throws.
 */
export async function openH5(whole: FileBytes, options: OpenH5): Promise<TensorStore> {
  const { where, metadata, limits = DEFAULT_LIMITS, onClose } = options;
  try {
    const file = pastUserBlock(whole);
    const budgeted = budgetedFile(file, limits);
    const index = fileIndex(budgeted, where);
    if (index !== undefined) return indexedStore(file, index, options);
    const { session, path, remove } = await options.startHdf5();
    // It closes the file itself when it cannot open it.
    const store = readWithH5wasm(session, { path, file: budgeted, metadata, onClose: remove });
    return { ...(await store), close: () => closeBoth(store, onClose) };
  } catch (error) {
    onClose?.();
    throw locateError(error, { where });
  }
}

async function closeBoth(store: Promise<TensorStore>, onClose: (() => void) | undefined): Promise<void> {
  try {
    await (await store).close();
  } finally {
    onClose?.();
  }
}

function indexedStore(file: FileBytes, index: ReadonlyMap<string, IndexEntry>, options: OpenH5): TensorStore {
  const { where, metadata, limits = DEFAULT_LIMITS, inflate, inflateBeside, onClose } = options;
  let open = true;
  return {
    metadata,
    keys: () => index.keys(),
    info: (name) => index.get(name)?.info,
    async get(name) {
      const entry = index.get(name);
      if (entry === undefined) return undefined;
      const place = { where, tensor: name };
      if (!open) throw new PruneError('invalid-argument', { ...place, what: 'the store is closed' });
      try {
        return await readValue(entry, { file, inflate, inflateBeside, place }, limits);
      } catch (error) {
        throw locateError(error, place);
      }
    },
    async close() {
      open = false;
      onClose?.();
    },
  };
}
