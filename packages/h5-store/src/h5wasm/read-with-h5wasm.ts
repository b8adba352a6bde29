import {
  checkLimit,
  DTYPES,
  type Dtype,
  type Elementary,
  type ElementaryInfo,
  type Limits,
  locateError,
  type ModelMetadata,
  PruneError,
  type StoredInfo,
  type TensorStore,
  tensorFromBytes,
} from '@prune/core';
import { checkChunks, checkSizes } from '../read/check-sizes.js';
import { decodeString } from '../read/decode-string.js';
import { naturalOrder } from '../read/natural-order.js';
import type { BudgetedFile } from '../read/read-budget.js';
import { checkHeaps } from './check-heaps.js';
import { checkNames } from './check-names.js';
import { checkStrings } from './check-strings.js';
import { H5Failure, type H5Session } from './h5-session.js';
import type { H5Metadata, H5WasmModule } from './h5-wasm.js';
import { storedBytes } from './stored-bytes.js';

/** What reading needs besides the session. */
export interface ReadWithH5wasmOptions {
  /** The path in h5wasm's file system. */
  readonly path: string;
  /**
   * The file's bytes, for checks before h5wasm sees them and for sizes that h5wasm does not tell. Its limits are those
   * of the store.
   */
  readonly file: BudgetedFile;
  readonly metadata: ModelMetadata;
  /** Runs once the file is closed, also when it could not be opened. */
  onClose?(): void | Promise<void>;
}

/** HDF5's own classes of datatypes, as far as they are read. */
const CLASS = { integer: 0, float: 1, string: 3, enumeration: 8 } as const;

/** Filters that every build of HDF5 has: deflate, shuffle, fletcher32. */
const FILTERS: Readonly<Record<number, string>> = { 1: 'gzip', 2: 'shuffle', 3: 'fletcher32' };

/** An entry of the root group. */
interface Entry {
  readonly info: StoredInfo;
  readonly kind: 'dataset' | 'attribute';
  /** A string's bytes are somewhere else, and here is a pointer to them. */
  readonly vlen: boolean;
  /** Bytes of the elements as HDF5 hands them over. */
  readonly bytes: number;
  /** Bytes of one whole chunk; 0 if there are none. */
  readonly chunkBytes: number;
}

/** Opens the file of a session as a store. Every entry's dtype, shape, filters and sizes are checked here, its elements when they are read. */
export async function readWithH5wasm(session: H5Session, options: ReadWithH5wasmOptions): Promise<TensorStore> {
  const { path, metadata, file } = options;
  const { limits } = file;
  const { where } = session;
  let id: bigint | undefined;
  async function close() {
    const open = id;
    id = undefined;
    try {
      if (open !== undefined) {
        session.run('closing the file', undefined, (module) => status(module.close_file(open)));
      }
    } finally {
      await options.onClose?.();
    }
  }
  try {
    inFile({ where }, () => {
      checkNames(file);
      checkHeaps(file);
    });
    id = session.run('opening the file', undefined, (module) => {
      const file = module.open(path, module.H5F_ACC_RDONLY, false, -1, -1);
      if (file < 0n) throw new H5Failure('no file');
      return file;
    });
    const entries = listEntries(session, id, file);
    return {
      metadata,
      keys: () => entries.keys(),
      info: (name) => entries.get(name)?.info,
      async get(name) {
        const entry = entries.get(name);
        if (entry === undefined) return undefined;
        if (id === undefined)
          throw new PruneError('invalid-argument', { where, tensor: name, what: 'the store is closed' });
        return readEntry(session, id, name, entry, limits);
      },
      close,
    };
  } catch (error) {
    // The first error is the one to tell.
    await close().catch(() => {});
    throw error;
  }
}

function listEntries(session: H5Session, id: bigint, file: BudgetedFile): Map<string, Entry> {
  const { where } = session;
  const { limits } = file;
  const found = new Map<string, Entry>();
  const listed = session.run('listing the root group', undefined, (module) => ({
    datasets: module.get_names(id, '/', false),
    attributes: module.get_attribute_names(id, '/'),
    root: module.create_object_reference(id, '/'),
  }));
  inFile({ where }, () => checkStrings(file, listed.root));
  checkLimit('too many entries', listed.datasets.length + listed.attributes.length, limits.tensors, { where });
  for (const name of listed.datasets) {
    if (found.has(name)) throw new PruneError('corrupt', { where, tensor: name, what: 'name appears twice' });
    const place = { where, tensor: name };
    const { metadata, filters, reference } = session.run('reading what a dataset is', name, (module) => {
      if (name === '.' || module.get_type(id, `/${name}`) !== module.H5G_DATASET) {
        throw new PruneError('unsupported', {
          ...place,
          what: 'not a dataset',
          wanted: 'a flat file of datasets and attributes',
        });
      }
      const metadata = module.get_dataset_metadata(id, `/${name}`);
      const filters = module.get_dataset_filters(id, `/${name}`);
      return { metadata, filters, reference: module.create_object_reference(id, `/${name}`) };
    });
    const info = checkedInfo(metadata, place, limits, file.size);
    if (metadata.virtual_sources !== undefined)
      throw new PruneError('unsupported', { ...place, what: 'virtual dataset' });
    // Each deflate can hold a thousand times its bytes.
    if (new Set(filters.map(({ id }) => id)).size < filters.length) {
      throw new PruneError('unsupported', { ...place, what: 'the same HDF5 filter twice' });
    }
    for (const { id, name } of filters) {
      if (!Object.hasOwn(FILTERS, id))
        throw new PruneError('unsupported', { ...place, what: 'HDF5 filter', got: `${id} ${name}` });
    }
    const bytes = elementBytes(info, metadata);
    const stored = inFile(place, () => storedBytes(file, reference)) ?? bytes;
    const codec = filters.map(({ id }) => FILTERS[id]).join('+') || 'raw';
    found.set(name, {
      kind: 'dataset',
      vlen: metadata.vlen,
      bytes,
      chunkBytes: metadata.chunks?.reduce((product, dimension) => product * dimension, metadata.size) ?? 0,
      info: { ...info, codec, storedBytes: stored },
    });
  }
  for (const name of listed.attributes) {
    const place = { where, tensor: name };
    if (found.has(name)) throw new PruneError('corrupt', { ...place, what: 'name is both a dataset and an attribute' });
    const metadata = session.run('reading what an attribute is', name, (module) =>
      module.get_attribute_metadata(id, '/', name),
    );
    const info = checkedInfo(metadata, place, limits, file.size);
    const bytes = elementBytes(info, metadata);
    found.set(name, {
      kind: 'attribute',
      vlen: metadata.vlen,
      bytes,
      chunkBytes: 0,
      info: { ...info, codec: 'raw', storedBytes: bytes },
    });
  }
  return new Map(naturalOrder(found.keys()).map((name) => [name, found.get(name)!]));
}

/** Dtype and shape, checked: before anything is read, and so before memory is taken. */
function checkedInfo(
  metadata: H5Metadata,
  place: { where: string; tensor: string },
  limits: Limits,
  fileBytes: number,
): ElementaryInfo {
  const { shape, size } = metadata;
  if (shape === null) throw new PruneError('unsupported', { ...place, what: 'null dataspace' });
  const dtype = dtypeOf(metadata);
  if (dtype === undefined) {
    const got = `class ${metadata.type} of ${size} bytes`;
    throw new PruneError('unsupported', { ...place, what: 'HDF5 datatype', got });
  }
  const bytes = checkSizes({ dtype, shape, width: size }, place, limits, fileBytes);
  if (metadata.chunks !== null) checkChunks(metadata.chunks, { shape, width: size, bytes }, fileBytes, place);
  return { dtype, shape: dtype === 'string' ? [] : [...shape] };
}

/** Runs a check of our own on the file's structures; its errors know no place yet. */
function inFile<T>(place: { where: string; tensor?: string }, check: () => T): T {
  try {
    return check();
  } catch (error) {
    throw locateError(error, place);
  }
}

function dtypeOf({ type, size, signed, enum_type }: H5Metadata): Dtype | 'string' | undefined {
  if (type === CLASS.string) return size > 0 ? 'string' : undefined;
  if (type === CLASS.float) return ({ 2: 'float16', 4: 'float32', 8: 'float64' } as const)[size];
  if (type === CLASS.integer) {
    if (signed) return ({ 1: 'int8', 2: 'int16', 4: 'int32', 8: 'int64' } as const)[size];
    return ({ 1: 'uint8', 2: 'uint16', 4: 'uint32' } as const)[size];
  }
  // Members are counted apart, because a file may have one name for many, and h5wasm then takes long.
  const isBool = type === CLASS.enumeration && size === 1 && enum_type?.nmembers === 2;
  const { FALSE: no, TRUE: yes } = enum_type?.members ?? {};
  return isBool && no === 0 && yes === 1 ? 'bool' : undefined;
}

function elementBytes({ dtype, shape }: ElementaryInfo, metadata: H5Metadata): number {
  return dtype === 'string'
    ? metadata.size
    : shape.reduce((product, dimension) => product * dimension, DTYPES[dtype].bytes);
}

function readEntry(session: H5Session, id: bigint, name: string, entry: Entry, limits: Limits): Elementary {
  const place = { where: session.where, tensor: name };
  const { info, kind, vlen, bytes: length, chunkBytes } = entry;
  const read = (module: H5WasmModule): Elementary => {
    const pointer = module._malloc(Math.max(1, length));
    if (pointer === 0)
      throw new PruneError('limit', {
        ...place,
        what: 'WASM memory is exhausted',
        got: `${length} bytes more`,
      });
    try {
      // Pointers of variable-length strings that are never written must not be garbage.
      if (vlen) module.HEAPU8.fill(0, pointer, pointer + length);
      status(
        kind === 'dataset'
          ? module.get_dataset_data(id, `/${name}`, null, null, null, BigInt(pointer))
          : module.get_attribute_data(id, '/', name, BigInt(pointer)),
      );
      if (info.dtype !== 'string') {
        const bytes = module.HEAPU8.slice(pointer, pointer + length);
        return tensorFromBytes(info.dtype, info.shape, bytes, place, limits);
      }
      if (!vlen) return decodeString(module.HEAPU8.slice(pointer, pointer + length), place);
      try {
        const start = new DataView(module.HEAPU8.buffer).getUint32(pointer, true);
        return start === 0 ? '' : decodeString(upToNul(module.HEAPU8, start, limits.headerBytes), place);
      } finally {
        module.reclaim_vlen_memory(
          id,
          kind === 'dataset' ? `/${name}` : '/',
          kind === 'dataset' ? '' : name,
          BigInt(pointer),
        );
      }
    } finally {
      module._free(pointer);
    }
  };
  // HDF5 holds a chunk in each of its forms: stored, inflated and unshuffled.
  return session.run('reading the values', name, read, length + 3 * chunkBytes);
}

/** A copy of the bytes from `start` to the next NUL, at most `most`. */
function upToNul(heap: Uint8Array, start: number, most: number): Uint8Array {
  const end = Math.min(heap.length, start + most);
  const nul = heap.indexOf(0, start);
  return heap.slice(start, nul === -1 ? end : Math.min(nul, end));
}

/** HDF5's functions return a negative number when they fail. */
function status(code: number): void {
  if (code < 0) throw new H5Failure(`status ${code}`);
}
