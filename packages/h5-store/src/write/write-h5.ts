import {
  type ByteSink,
  tensor as checkedTensor,
  DTYPES,
  type Elementary,
  elementCount,
  PruneError,
  type Tensor,
  tensorBytes,
  tensorFromBytes,
} from '@prune/core';
import { zlibSync } from 'fflate';
import { shuffle, unshuffle } from '../format/shuffle.js';
import { type PutEntry, putEntry } from './check-written.js';
import { H5_DEFAULTS, type H5WriteOptions } from './defaults.js';
import type { Deflate, Level } from './deflate.js';
import { inOrder } from './in-order.js';
import { isAttribute } from './is-attribute.js';
import { splitChunks } from './split-chunks.js';
import { CHUNK_INDEX_K, chunkIndex, type StoredChunk } from './write-chunk-index.js';
import {
  attribute,
  btreeK,
  chunkedLayout,
  contiguousLayout,
  dataspace,
  datatype,
  fillValue,
  filterPipeline,
  groupMessages,
  link,
  type Message,
  stringDatatype,
} from './write-messages.js';
import { objectHeader } from './write-object-header.js';
import { stringHeap } from './write-string-heap.js';
import { SUPERBLOCK_BYTES, superblock } from './write-superblock.js';

/*
 * The file is laid out by hand, in HDF5 1.8's structures, rather than by h5wasm's create_dataset. Measured on golden/base (16.1 MB of tensors,
 * h5py's file 12.88 MB), h5wasm took the same second and made 11.74 MB: it takes one filter, so no shuffle in front of deflate; spends 2 KB of
 * chunk index on every dataset; stamps each with the time, so that equal models make unequal files; and holds the file in WASM memory.
 * The tests read every file that they write with it: its reader is HDF5's own.
 */

/** A file that is being written to a sink. */
export interface H5Writing {
  /** What was put so far, by name. */
  readonly entries: ReadonlyMap<string, PutEntry>;
  put(name: string, value: Elementary): Promise<void>;
  /** Writes what all entries share. The sink is not committed. */
  finish(): Promise<void>;
  /** Writes nothing more; settles when the sink is no longer used. */
  stop(): Promise<void>;
}

/** Every dataset's header and B-tree costs about this much more than a contiguous one's; compression that saves less is not used. */
const CHUNKING_COSTS = 150;
/** A header message holds at most 64 KiB, an attribute's name and value together; h5py refuses larger ones too. */
const LONGEST_NAME = 32_000;
/** It has no UTF-8: it would come back as another text. */
const HALF_A_PAIR = /\p{Surrogate}/u;
/** Bytes of tensors that are compressed beside each other, at most: some chunks for each thread of a small pool. */
const UNDER_WAY = 2 ** 24;

/** Starts a file in the notebook's layout. Throws `invalid-argument`, `mismatch`, `unsupported` or what the sink throws. */
export async function writeH5(
  sink: ByteSink,
  where: string,
  options: H5WriteOptions = {},
  deflate: Deflate = (bytes, level) => zlibSync(bytes, { level }),
): Promise<H5Writing> {
  const { level, chunkBytes, shuffled } = checkOptions(options);
  const entries = new Map<string, PutEntry>();
  const attributes: { name: string; value: Elementary }[] = [];
  const links: Message[] = [];
  const work = inOrder(UNDER_WAY);
  let end = 0;

  async function append(bytes: Uint8Array): Promise<number> {
    const address = end;
    await sink.write(bytes);
    end += bytes.byteLength;
    return address;
  }

  /** Starts compressing a tensor's chunks and queues what writes them: the file is laid out in the order of the puts. */
  async function putDataset(name: string, tensor: Tensor): Promise<void> {
    const { shape } = tensor;
    const width = DTYPES[tensor.dtype].bytes;
    const head = [dataspace(shape), datatype(storable(tensor, name, where))];
    const bytes = tensorBytes(tensor);
    const size = bytes.byteLength;
    const putLink = async (storage: readonly Message[]) => {
      links.push(link(name, await append(objectHeader([...head, ...storage]))));
    };
    const putContiguous = async (elements: Uint8Array) =>
      putLink([fillValue(false), contiguousLayout(size === 0 ? 0 : await append(elements), size)]);
    // What is written later is copied first: the caller may use its array again.
    if (level === 0 || size <= CHUNKING_COSTS) {
      await work.room(size);
      const elements = bytes.slice();
      work.add(size, () => putContiguous(elements));
      return;
    }

    const chunk = splitChunks(shape, width, chunkBytes);
    const chunkSize = chunk.reduce((product, dimension) => product * dimension, width);
    const shuffleBytes = shuffled ? width : 1;
    const stored: StoredChunk[] = [];
    for (const { offset, from, length } of chunkRuns(shape, chunk, width)) {
      await work.room(length);
      const planes = planesOf(bytes.subarray(from, from + length), chunkSize, shuffleBytes);
      const packed = start(() => deflate(planes, level));
      work.add(length, async () => {
        const chunkBytes = await packed;
        // A dataset of one chunk is tried before it is written.
        if (length === size && chunkBytes.byteLength + CHUNKING_COSTS >= size) {
          const elements = new Uint8Array(size);
          unshuffle(planes, shuffleBytes, elements);
          return putContiguous(elements);
        }
        stored.push({ offset, address: await append(chunkBytes), bytes: chunkBytes.byteLength });
      });
    }
    work.add(0, async () => {
      if (stored.length === 0) return;
      const last = shape.map((dimension, d) => Math.ceil(dimension / chunk[d]) * chunk[d]);
      const index = chunkIndex(stored, [last[0], ...last.slice(1).fill(0)], end);
      await append(index.bytes);
      await putLink([fillValue(true), chunkedLayout(index.root, chunk, width), filterPipeline(level, shuffleBytes)]);
    });
  }

  end = SUPERBLOCK_BYTES;
  await sink.write(new Uint8Array(SUPERBLOCK_BYTES));
  const extension = await append(objectHeader([btreeK(CHUNK_INDEX_K)]));
  return {
    entries,
    async put(name, value) {
      checkName(name, where);
      if (entries.has(name))
        throw new PruneError('invalid-argument', { where, tensor: name, what: 'name was put before' });
      if (typeof value === 'string') {
        if (HALF_A_PAIR.test(value)) {
          throw new PruneError('unsupported', { where, tensor: name, what: 'text with half a surrogate pair' });
        }
        if (value.includes('\0')) {
          throw new PruneError('unsupported', {
            where,
            tensor: name,
            what: 'HDF5 strings end at a NUL, and this one has one inside',
          });
        }
        attributes.push({ name, value });
        entries.set(name, putEntry(value));
        return;
      }
      const { dtype, shape, data } = value;
      checkedTensor(dtype, shape, data, { where, tensor: name });
      storable(value, name, where);
      // Copied: the caller may use its array again, and this one lives until `finish`.
      if (isAttribute(name, value))
        attributes.push({ name, value: tensorFromBytes(dtype, [...shape], tensorBytes(value).slice()) });
      else await putDataset(name, value);
      entries.set(name, putEntry(value));
    },
    async finish() {
      await work.settled();
      const heap = stringHeap(
        attributes
          .filter(({ value }) => typeof value === 'string')
          .map(({ value }) => new TextEncoder().encode(value as string)),
        end,
      );
      await append(heap.bytes);
      let strings = 0;
      const messages = attributes.map(({ name, value }) =>
        typeof value === 'string'
          ? attribute(name, stringDatatype(), dataspace([]), heap.references[strings++])
          : attribute(name, datatype(storable(value, name, where)), dataspace(value.shape), tensorBytes(value)),
      );
      const root = await append(objectHeader([...groupMessages(), ...links, ...messages]));
      await sink.writeAt(0, superblock({ extension, end, root }));
    },
    stop: () => work.stop(),
  };
}

/** What `make` gives, at once or later; what it throws is thrown where the promise is awaited, and nowhere when it never is. */
function start(make: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array> {
  const promise = (async () => make())();
  promise.catch(() => {});
  return promise;
}

/** A chunk of `size` bytes as it is deflated, in memory of its own. One at the end is stored whole; what is past the tensor is the fill value. */
function planesOf(elements: Uint8Array, size: number, width: number): Uint8Array {
  if (elements.byteLength === size && width > 1) return shuffle(elements, width);
  const whole = new Uint8Array(size);
  whole.set(elements);
  return width > 1 ? shuffle(whole, width) : whole;
}

/** The chunks of a tensor in row-major order, each one run of its bytes (see splitChunks). */
function* chunkRuns(shape: readonly number[], chunk: readonly number[], width: number) {
  const total = elementCount({ dtype: 'uint8', shape });
  const offset = shape.map(() => 0);
  for (let from = 0; from < total; ) {
    // Only the dimension that is divided can end early; the trailing ones are whole.
    const length = chunk.reduce((product, dimension, d) => product * Math.min(dimension, shape[d] - offset[d]), 1);
    yield { offset: [...offset], from: from * width, length: length * width };
    from += length;
    for (let d = shape.length - 1; d >= 0; d--) {
      offset[d] += chunk[d];
      if (offset[d] < shape[d]) break;
      offset[d] = 0;
    }
  }
}

function checkOptions(options: H5WriteOptions) {
  const level = options.level ?? H5_DEFAULTS.level;
  const chunkBytes = options.chunkBytes ?? H5_DEFAULTS.chunkBytes;
  if (!isLevel(level)) {
    throw new PruneError('invalid-argument', {
      where: 'h5-store',
      what: 'bad level',
      got: level,
      wanted: 'an integer 0 to 9',
    });
  }
  if (!(Number.isInteger(chunkBytes) && chunkBytes > 0 && chunkBytes < 2 ** 31)) {
    throw new PruneError('invalid-argument', {
      where: 'h5-store',
      what: 'bad chunkBytes',
      got: chunkBytes,
      wanted: 'an integer 1 to 2147483647',
    });
  }
  return { level, chunkBytes, shuffled: options.shuffle ?? H5_DEFAULTS.shuffle };
}

function isLevel(level: number): level is Level {
  return Number.isInteger(level) && level >= 0 && level <= 9;
}

/** A name is one component of an HDF5 path. */
function checkName(name: string, where: string): void {
  if (name === '' || name === '.' || /[/\0]/.test(name) || HALF_A_PAIR.test(name) || name.length > LONGEST_NAME) {
    throw new PruneError('unsupported', {
      where,
      tensor: name.slice(0, 100),
      what: 'no name for an HDF5 object',
      wanted: `1 to ${LONGEST_NAME} characters without "/", NUL and halves of surrogate pairs`,
    });
  }
}

function storable({ dtype }: Tensor, name: string, where: string): Exclude<typeof dtype, 'bfloat16'> {
  if (dtype === 'bfloat16') {
    throw new PruneError('unsupported', {
      where,
      tensor: name,
      what: 'HDF5 readers know no bfloat16',
      wanted: 'float32 or float16',
    });
  }
  return dtype;
}
