import {
  type ByteSource,
  type Codec,
  type CsrRows,
  csrArrayNames,
  DEFAULT_LIMITS,
  type Dtype,
  type Elementary,
  inBlocks,
  type Limits,
  locateError,
  type ModelMetadata,
  type NamedInfo,
  Pacer,
  PruneError,
  type RandomAccess,
  type ReadableMap,
  randomAccess,
  type StoredInfo,
  type Tensor,
  type TensorStore,
  tensor,
  tensorFromBytes,
} from '@prune/core';
import { codecError } from './codecs/codec-error.js';
import { codecList } from './codecs/codec-list.js';
import { missingCodec } from './codecs/missing-codec.js';
import { raw } from './codecs/raw.js';
import { decodeManifest, type Manifest, type ManifestBlock, type ManifestEntry } from './container/manifest.js';
import { decodePrologue, PROLOGUE_BYTES } from './container/prologue.js';
import { crcInTurns } from './crc-in-turns.js';
import { crc32 as ownCrc32 } from './crc32.js';
import { type GunzipPlatform, gunzip } from './deflate/gunzip.js';
import { readAhead } from './read-ahead.js';
import { isMatrixBlock, storedRows } from './stored-rows.js';

/** Options of {@link openMsgpackStore}. */
export interface OpenMsgpackOptions extends GunzipPlatform {
  /** For messages; the source's own name by default. */
  readonly name?: string;
  /** Codecs besides this package's own, found by name. */
  readonly codecs?: readonly Codec[];
  /** Default: `DEFAULT_LIMITS`. */
  readonly limits?: Limits;
}

/**
 * Opens a `.prune` container: reads its prologue and manifest, then each block by its byte range when one of its tensors is asked for. A block's
 * CRC-32 is checked before it is decoded. Takes over the source: `close()` closes it, and so does a failed opening.
 * Throws `unsupported`, `truncated`, `corrupt`, `limit` with the source's name.
 */
export async function openMsgpackStore(source: ByteSource, options: OpenMsgpackOptions = {}): Promise<TensorStore> {
  const { limits = DEFAULT_LIMITS, inflate, crc32 = ownCrc32 } = options;
  const platform = { inflate, crc32 };
  const bytes = randomAccess(source, options.name);
  const where = bytes.name;
  // These codecs always return copies, never views into the block.
  const inflating = new Set(codecList('csr-gzip', platform));
  const codecs = new Map([raw(), ...inflating, ...(options.codecs ?? [])].map((codec) => [codec.name, codec] as const));
  let manifest: Manifest;
  try {
    manifest = await readManifest(bytes, limits, platform);
  } catch (error) {
    await bytes.close().catch(() => {});
    throw locateError(error, { where });
  }
  let open = true;
  const { blocks } = manifest;
  const entries = new Map(manifest.entries.map((entry) => [entry.name, entry]));
  const members = blocks.map((): ManifestEntry[] => []);
  /**
   * Where an entry is among those of its block. A block may have as many entries as the file, so it is not searched for
   * each.
   */
  const places = new Map<ManifestEntry, number>();
  for (const entry of manifest.entries) {
    if (entry.block !== undefined) places.set(entry, members[entry.block].push(entry) - 1);
  }
  /** Bytes of each block that belong to none of its tensors. */
  const shared = blocks.map(({ length, shares }) => length - shares.reduce((sum, share) => sum + share, 0));
  const decoded = decodedBlocks(decode);
  const ahead = readAhead(
    bytes,
    blocks.reduce((end, { length }) => end + length, PROLOGUE_BYTES),
  );

  async function stored({ offset, length, crc32: wanted }: ManifestBlock): Promise<Uint8Array> {
    if (!open) throw new PruneError('invalid-argument', { what: 'the store is closed' });
    const read = await ahead.read(offset, length);
    const got = await crcInTurns(read, crc32, new Pacer());
    if (got !== wanted) throw new PruneError('corrupt', { what: 'CRC-32 of the stored bytes', got, wanted });
    return read;
  }

  async function decode(number: number): Promise<Map<string, Tensor>> {
    const block = blocks[number];
    const codec = codecs.get(block.codec);
    if (codec === undefined) throw missingCodec(block.codec, codecs.keys());
    const infos = members[number] as readonly NamedInfo[];
    const packed = await stored(block);
    // Others are given the bytes, which are shared with other blocks.
    let tensors: readonly Tensor[];
    try {
      tensors = await codec.decode(inflating.has(codec) ? packed : await copied(packed), infos, limits);
    } catch (error) {
      throw codecError(codec.name, error);
    }
    checkDecoded(tensors, infos, codec.name, limits);
    return new Map(infos.map(({ name }, i) => [name, tensors[i]]));
  }

  const { config, modules, profile, sentence, files } = manifest;
  const unzip = (packed: Uint8Array, length: number) =>
    gunzip(packed, { length, limit: limits.metadataBytes, ...platform });
  const metadata: ModelMetadata = {
    ...(config && { config }),
    ...(modules && { modules }),
    ...(profile && { profile }),
    ...(sentence && { sentence }),
    ...(files && { files: lazyFiles(manifest, stored, unzip, where) }),
  };
  return {
    metadata,
    keys: () => entries.keys(),
    info(name): StoredInfo | undefined {
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      const { dtype, shape, block, inline } = entry;
      if (block === undefined) return { dtype, shape, codec: 'inline', storedBytes: inline!.length };
      const { codec, shares } = blocks[block];
      // What belongs to none of a block's tensors is shared out by turns, so that the sum is the block.
      const place = places.get(entry)!;
      const own = Math.floor((shared[block] + place) / shares.length);
      return { dtype, shape, codec, storedBytes: shares[place] + own };
    },
    async get(name): Promise<Elementary | undefined> {
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      try {
        if (entry.inline !== undefined) return inlineValue(entry, entry.inline, limits);
        return await decoded.take(entry.block!, name);
      } catch (error) {
        throw locateError(error, { where, tensor: name });
      }
    },
    async rows(name): Promise<CsrRows | undefined> {
      const number = entries.get(csrArrayNames(name).data)?.block;
      if (number === undefined) return undefined;
      const infos = members[number] as readonly NamedInfo[];
      const codec = codecs.get(blocks[number].codec);
      if (codec?.rows === undefined || !isMatrixBlock(name, infos)) return undefined;
      try {
        const packed = await stored(blocks[number]);
        const rows = rowsOf(codec, packed, infos, limits);
        return rows && storedRows(rows, infos, where, name);
      } catch (error) {
        throw locateError(error, { where, tensor: name });
      }
    },
    close() {
      open = false;
      return bytes.close();
    },
  };
}

/** A copy, with pauses: that of a table of 94 MB at once takes more than 100 ms. */
async function copied(bytes: Uint8Array): Promise<Uint8Array> {
  const copy = new Uint8Array(bytes.length);
  await inBlocks(bytes.length, new Pacer(), (from, to) => copy.set(bytes.subarray(from, to), from));
  return copy;
}

async function readManifest(
  source: RandomAccess,
  limits: Limits,
  { inflate, crc32 = ownCrc32 }: GunzipPlatform,
): Promise<Manifest> {
  const prologue = decodePrologue(await source.read(0, PROLOGUE_BYTES), source.size, limits);
  const packed = await source.read(prologue.manifestOffset, prologue.manifestLength);
  const crc = crc32(packed);
  if (crc !== prologue.manifestCrc) {
    throw new PruneError('corrupt', { what: 'CRC-32 of the manifest', got: crc, wanted: prologue.manifestCrc });
  }
  const manifest = await gunzip(packed, {
    length: prologue.manifestDecoded,
    limit: limits.manifestBytes,
    inflate,
    crc32,
  });
  return decodeManifest(manifest, prologue.manifestOffset, limits);
}

function inlineValue({ name, dtype, shape }: ManifestEntry, bytes: Uint8Array, limits: Limits): Elementary {
  if (dtype !== 'string') return tensorFromBytes(dtype as Dtype, shape, bytes.slice(), { tensor: name }, limits);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new PruneError('corrupt', { what: 'a string is not UTF-8', cause });
  }
}

function rowsOf(codec: Codec, packed: Uint8Array, infos: readonly NamedInfo[], limits: Limits): CsrRows | undefined {
  try {
    return codec.rows?.(packed, infos, limits);
  } catch (error) {
    throw codecError(codec.name, error);
  }
}

/** A codec is a plug-in: what it returns is checked before anyone sees it. */
function checkDecoded(tensors: readonly Tensor[], infos: readonly NamedInfo[], codec: string, limits: Limits) {
  if (tensors.length !== infos.length) {
    throw new PruneError('corrupt', { what: `tensors from codec ${codec}`, got: tensors.length, wanted: infos.length });
  }
  for (const [i, { name, dtype, shape }] of infos.entries()) {
    const got = tensors[i];
    if (got.dtype !== dtype || got.shape.join() !== shape.join()) {
      throw new PruneError('corrupt', {
        what: `tensor from codec ${codec}`,
        got: `${got.dtype} [${got.shape.join(', ')}]`,
        wanted: `${dtype} [${shape.join(', ')}]`,
        tensor: name,
      });
    }
    tensor(dtype, shape, got.data, { tensor: name }, limits);
  }
}

/** Blocks that may wait for the rest of their tensors to be asked for: a block of many matrices, and those that lie between. */
const MOST_KEPT = 4;

/**
 * Decodes a block once for all of its tensors, whether they are asked for one after another or at the same time. Each tensor is given away once,
 * so that no two callers share memory; asked for again, its block is decoded again. What was given away is not kept.
 */
function decodedBlocks(decode: (number: number) => Promise<Map<string, Tensor>>) {
  // The block used last is the last.
  const kept = new Map<number, Promise<Map<string, Tensor>>>();
  function keep(number: number, block: Promise<Map<string, Tensor>>) {
    kept.delete(number);
    kept.set(number, block);
    if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value!);
  }
  function drop(number: number, block: Promise<Map<string, Tensor>>) {
    if (kept.get(number) === block) kept.delete(number);
  }
  return {
    async take(number: number, name: string): Promise<Tensor> {
      for (;;) {
        const block = kept.get(number) ?? decode(number);
        keep(number, block);
        const tensors = await block.catch((error) => {
          drop(number, block);
          throw error;
        });
        const value = tensors.get(name);
        tensors.delete(name);
        // Either it was the last one, or another caller had it first and the block must be decoded anew.
        if (tensors.size === 0 || value === undefined) drop(number, block);
        if (value !== undefined) return value;
      }
    },
  };
}

/** The tokenizer's files, each read when it is asked for. */
function lazyFiles(
  { files = [], blocks }: Manifest,
  read: (block: ManifestBlock) => Promise<Uint8Array>,
  decode: (bytes: Uint8Array, length: number) => Promise<Uint8Array>,
  where: string,
): ReadableMap<Uint8Array> {
  const byName = new Map(files.map((file) => [file.name, file]));
  return {
    keys: () => byName.keys(),
    async get(name) {
      const file = byName.get(name);
      if (file === undefined) return undefined;
      try {
        return await decode(await read(blocks[file.block]), file.length);
      } catch (error) {
        throw locateError(error, { where, tensor: name });
      }
    },
  };
}
