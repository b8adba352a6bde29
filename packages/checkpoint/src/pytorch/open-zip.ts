import { checkLimit, type Limits, PruneError, type RandomAccess } from '@prune/core';
import { checkStorageBytes } from './check-storage-bytes.js';
import { findStateDict } from './find-state-dict.js';
import { keptStorages } from './kept-storages.js';
import { PickleBudget } from './pickle-budget.js';
import { pickledModel, tensorsOf } from './pickled-model.js';
import { readZipEntry } from './read-zip-entry.js';
import { torchCheckpoint } from './torch-checkpoint.js';
import type { TorchFile } from './torch-file.js';
import { TorchPickle } from './torch-pickle.js';
import { unpickle } from './unpickle.js';
import { readZipDirectory, type ZipEntry, zipDataOffset } from './zip-directory.js';

/** Opens torch's zip format (since 1.6): `<folder>/data.pkl` and one stored file a storage, `<folder>/data/<key>`. */
export async function openZip(source: Required<RandomAccess>, limits: Limits, choice?: string): Promise<TorchFile> {
  const files = await readZipDirectory(source, limits);
  const [first] = files.keys();
  const folder = (first ?? '').split('/')[0];
  const pickle = files.get(`${folder}/data.pkl`);
  if (pickle === undefined) {
    throw new PruneError('unsupported', { what: 'zip archive is no PyTorch checkpoint', wanted: 'a file data.pkl' });
  }
  checkLimit('data.pkl is too large (bytes)', pickle.bytes, limits.headerBytes);
  await checkByteOrder(source, files.get(`${folder}/byteorder`));
  const budget = new PickleBudget(limits, pickle.packedBytes);
  // What is inflated is memory beyond that of the file.
  if (pickle.method === 'deflated') budget.charge(pickle.bytes);
  const bytes = await readZipEntry(source, pickle, 0, pickle.bytes, limits.headerBytes);
  const { value } = unpickle(bytes, new TorchPickle(limits, budget), budget);
  const found = findStateDict(value, choice, source.name);
  const model = pickledModel(found.dict);
  const references = tensorsOf(model);
  checkLimit('too many tensors', references.size, limits.tensors);

  const fileOf = (key: string): ZipEntry => {
    const file = files.get(`${folder}/data/${key}`);
    if (file === undefined)
      throw new PruneError('corrupt', { what: 'no file in the zip archive for storage', got: key });
    return file;
  };
  for (const [tensor, { storage }] of references) checkStorageBytes(storage, fileOf(storage.key).bytes, tensor);
  const kept = keptStorages(references, fileOf, limits);
  const inflated = new Map<string, Promise<Uint8Array>>();
  async function read(key: string, offset: number, length: number): Promise<Uint8Array> {
    const file = fileOf(key);
    if (!kept.has(key)) return readZipEntry(source, file, offset, length, limits.tensorBytes);
    const whole = inflated.get(key) ?? readZipEntry(source, file, 0, file.bytes, limits.tensorBytes);
    inflated.set(key, whole);
    // Reading may succeed when it is tried again.
    whole.catch(() => inflated.delete(key));
    // A copy: the caller may change it.
    return (await whole).slice(offset, offset + length);
  }
  const tensors = torchCheckpoint(
    source,
    'pytorch-zip',
    references,
    {
      read: ({ key }, offset, length) => read(key, offset, length),
      position: ({ key }) => (fileOf(key).method === 'stored' ? zipDataOffset(source, fileOf(key)) : undefined),
    },
    limits,
  );
  return { model, tensors, stateDict: found.path, notes: found.notes };
}

async function checkByteOrder(source: RandomAccess, file: ZipEntry | undefined) {
  if (file === undefined) return;
  const order = new TextDecoder().decode(await readZipEntry(source, file, 0, Math.min(file.bytes, 16), 16));
  if (order !== 'little') throw new PruneError('unsupported', { what: 'byte order', got: order, wanted: 'little' });
}
