import { type ByteSink, type Dtype, PruneError, type Tensor } from '@prune/core';
import { STORAGE_CLASSES } from '../pytorch/storage-classes.js';
import { PickleWriter } from './pickle-writer.js';
import { ZIP_ALIGNMENT, ZipWriter } from './zip-writer.js';

/** A tensor whose elements are in a storage of the file. */
export interface StoredTensor {
  /** The storage's name in the file. */
  readonly key: string;
  /** torch's class of the storage. */
  readonly storage: string;
  /** Of the storage. */
  readonly elements: number;
  readonly shape: readonly number[];
}

/** The first class of {@link STORAGE_CLASSES} that holds a dtype. */
const CLASS_OF_DTYPE: ReadonlyMap<Dtype, string> = new Map(
  [...STORAGE_CLASSES].reverse().map(([storage, dtype]) => [dtype, storage]),
);

/** The folder in the archive. torch calls it so when it does not write to a file with a name. */
const ROOT = 'archive';

/** The versions that torch writes: of a state dict's archive, and of `.format_version`. */
const VERSION = '3\n';
const FORMAT_VERSION = '1';

/**
 * A file as `torch.save` writes it: storages, each written when it is added, then the pickle that refers to them. torch
 * puts the pickle first, for which all of it must be known before the first storage is written; it reads any order.
 * torch's hash over the archive, which its readers do not ask for, is left out.
 */
export class TorchArchive {
  readonly #zip: ZipWriter;
  #storages = 0;

  constructor(sink: Pick<ByteSink, 'write'>) {
    this.#zip = new ZipWriter(sink);
  }

  /** Writes a tensor's elements. Throws `unsupported` for a dtype of which torch has no storages. */
  async tensor(tensor: Tensor, name: string): Promise<StoredTensor> {
    const storage = CLASS_OF_DTYPE.get(tensor.dtype);
    if (storage === undefined) {
      const wanted = [...CLASS_OF_DTYPE.keys()].join(', ');
      throw new PruneError('unsupported', {
        what: 'dtype in a file of torch',
        got: tensor.dtype,
        wanted,
        tensor: name,
      });
    }
    return this.array(storage, tensor.shape, tensor.data);
  }

  /** Writes an array as a storage of the given class. */
  async array(
    storage: string,
    shape: readonly number[],
    array: ArrayBufferView & ArrayLike<unknown>,
  ): Promise<StoredTensor> {
    const key = String(this.#storages++);
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    await this.#zip.entry(`${ROOT}/data/${key}`, (write) => write(bytes));
    return { key, storage, elements: array.length, shape };
  }

  /** Writes the pickle, then what is left of the archive. */
  async finish(write: (pickle: PickleWriter) => Promise<void>): Promise<void> {
    await this.#zip.entry(`${ROOT}/data.pkl`, async (append) => {
      const pickle = new PickleWriter(append);
      await write(pickle);
      await pickle.finish();
    });
    const texts = {
      '.format_version': FORMAT_VERSION,
      '.storage_alignment': String(ZIP_ALIGNMENT),
      byteorder: 'little',
      version: VERSION,
    };
    for (const [name, text] of Object.entries(texts)) {
      await this.#zip.entry(`${ROOT}/${name}`, (append) => append(new TextEncoder().encode(text)));
    }
    await this.#zip.finish();
  }
}
