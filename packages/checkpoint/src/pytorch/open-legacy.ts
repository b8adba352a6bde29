import { checkLimit, DTYPES, isPruneError, type Limits, PruneError, type RandomAccess } from '@prune/core';
import { checkStorageBytes } from './check-storage-bytes.js';
import { findStateDict } from './find-state-dict.js';
import { PickleBudget } from './pickle-budget.js';
import { pickledModel, tensorsOf } from './pickled-model.js';
import { torchCheckpoint } from './torch-checkpoint.js';
import type { TorchFile } from './torch-file.js';
import { TorchPickle } from './torch-pickle.js';
import { PickleDict, PickleList, unpickle } from './unpickle.js';

/** The first pickle of the older format. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
const FIRST_WINDOW_BYTES = 1 << 16;

/**
 * Opens torch's older format (before 1.6): pickles of the magic number, the protocol, the system, the state dict and the storages'
 * keys, then for each key an int64 count and its elements.
 */
export async function openLegacy(source: Required<RandomAccess>, limits: Limits, choice?: string): Promise<TorchFile> {
  const magic = await readPickle(source, 0, limits);
  if (magic.value !== MAGIC) throw new PruneError('unsupported', { what: 'pickle is no PyTorch checkpoint' });
  const protocol = await readPickle(source, magic.end, limits);
  if (protocol.value !== PROTOCOL)
    throw new PruneError('unsupported', { what: 'protocol of the older format is not 1001' });
  const system = await readPickle(source, protocol.end, limits);
  if (!(system.value instanceof PickleDict) || system.value.get('little_endian') !== true) {
    throw new PruneError('unsupported', { what: 'byte order', wanted: 'little-endian' });
  }
  const root = await readPickle(source, system.end, limits);
  const found = findStateDict(root.value, choice, source.name);
  const model = pickledModel(found.dict);
  const references = tensorsOf(model);
  checkLimit('too many tensors', references.size, limits.tensors);
  const keys = await readPickle(source, root.end, limits);
  const starts = await locateStorages(source, keys, root.host, limits);
  for (const [tensor, { storage }] of references) {
    const found = root.host.storages.get(storage.key);
    if (!starts.has(storage.key) || found === undefined) {
      throw new PruneError('corrupt', { what: `storage ${storage.key} is not in the file`, tensor });
    }
    checkStorageBytes(storage, found.elements * DTYPES[found.dtype].bytes, tensor);
  }
  const tensors = torchCheckpoint(
    source,
    'pytorch-legacy',
    references,
    {
      read: ({ key }, offset, length) => source.read((starts.get(key) ?? 0) + offset, length),
      position: ({ key }) => starts.get(key),
    },
    limits,
  );
  return { model, tensors, stateDict: found.path, notes: found.notes };
}

/** Storage key -> file offset of its elements. */
async function locateStorages(
  source: Required<RandomAccess>,
  { value, end }: { value: unknown; end: number },
  { storages }: TorchPickle,
  limits: Limits,
): Promise<Map<string, number>> {
  if (!(value instanceof PickleList)) throw new PruneError('corrupt', { what: 'list of storages is missing' });
  checkLimit('too many storages', value.items.length, limits.tensors);
  const starts = new Map<string, number>();
  let position = end;
  for (const key of value.items) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined || starts.has(storage.key)) {
      throw new PruneError('corrupt', { what: 'unknown or repeated storage in the list of storages' });
    }
    const head = await source.read(position, 8);
    const elements = Number(new DataView(head.buffer, head.byteOffset, 8).getBigInt64(0, true));
    if (elements !== storage.elements) {
      throw new PruneError('corrupt', {
        what: `elements of storage ${storage.key}`,
        got: elements,
        wanted: storage.elements,
      });
    }
    starts.set(storage.key, position + 8);
    position += 8 + elements * DTYPES[storage.dtype].bytes;
    if (position > source.size) {
      throw new PruneError('truncated', { what: 'file ends within a storage', got: source.size, wanted: position });
    }
  }
  if (position !== source.size) {
    throw new PruneError('corrupt', { what: 'bytes after the last storage', got: source.size, wanted: position });
  }
  return starts;
}

/** The pickle that begins at `position`. How long it is only its end tells: the window doubles until it fits. */
async function readPickle(
  source: Required<RandomAccess>,
  position: number,
  limits: Limits,
): Promise<{ value: unknown; end: number; host: TorchPickle }> {
  const available = source.size - position;
  for (let wanted = FIRST_WINDOW_BYTES; ; ) {
    const windowBytes = Math.min(wanted, available);
    checkLimit('pickle is too large (bytes)', windowBytes, limits.headerBytes);
    const window = await source.read(position, windowBytes);
    const budget = new PickleBudget(limits, windowBytes);
    const host = new TorchPickle(limits, budget);
    try {
      const { value, end } = unpickle(window, host, budget);
      return { value, end: position + end, host };
    } catch (error) {
      if (!isPruneError(error, 'truncated') || windowBytes === available) throw error;
      wanted = Math.max(2 * windowBytes, Number(error.wanted));
    }
  }
}
