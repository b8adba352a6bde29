import {
  type ByteSource,
  type Codec,
  type CsrRows,
  checkAborted,
  csrArrayNames,
  DEFAULT_LIMITS,
  type Dtype,
  type Elementary,
  inBlocks,
  type JsonParts,
  type Limits,
  locateError,
  type ModelFiles,
  type ModelMetadata,
  type NamedInfo,
  crc32 as ownCrc32,
  Pacer,
  PruneError,
  type RowSelector,
  type StoredInfo,
  type Tensor,
  type TensorStore,
  tensor,
  tensorFromBytes,
  untilAborted,
} from '@prune/core';
import { codecError } from './codecs/codec-error.js';
import { allCodecs } from './codecs/codec-list.js';
import { FILE_CODECS, type ManifestEntry, type ManifestFile, type ManifestModel } from './container/manifest.js';
import { modelOfManifest } from './container/model-of-manifest.js';
import { type ContainerOptions, openContainer } from './container/open-container.js';
import { gunzip } from './deflate/gunzip.js';
import { selectedRows } from './selected-rows.js';
import { isMatrixBlock, storedRows } from './stored-rows.js';
import { joinVocabulary } from './vocabulary/join-vocabulary.js';
import { withoutVocabulary } from './vocabulary/without-vocabulary.js';

/** Options of {@link openMsgpackStore}. */
export interface OpenMsgpackOptions extends ContainerOptions {
  /** Codecs besides this package's own, found by name. */
  readonly codecs?: readonly Codec[];
  /** The model of a file that has several. */
  readonly model?: string;
}

/** A model of a `.prune` container, open for reading. */
export interface MsgpackStore extends TensorStore {
  /**
   * The SHA-256 of the manifest, `sha256-...`. The manifest has the SHA-256 of every block, so the option `integrity`
   * with this text covers all that is read. `undefined` for a file of version 1.
   */
  readonly integrity: string | undefined;
  /** The names of the file's models; none when it holds one model without a name. */
  readonly models: readonly string[];
  /** The files that have blocks of this one, as it names them. */
  readonly bases: readonly string[];
  /**
   * Reads what a model needs before it can compute, for a source that keeps what was read, in as few ranges as it lies
   * in: every block of the model's tensors, and of a block of rows what says where they lie. Blocks of bases, files,
   * and what would exceed `most` bytes are left out. Rejects with what the source throws.
   */
  fetchAhead(most: number, signal?: AbortSignal): Promise<void>;
}

/**
 * Opens a `.prune` container: reads its prologue and manifest, then each block by its byte range when one of its tensors is asked for. A block's
 * CRC-32 is checked before it is decoded. Takes over the source: `close()` closes it, and so does a failed opening.
 * Throws `unsupported`, `truncated`, `corrupt`, `limit` with the source's name; `mismatch` for another `integrity`;
 * `invalid-argument` for a file of several models without the option `model`, `missing` for a model that it does not
 * have.
 */
export async function openMsgpackStore(source: ByteSource, options: OpenMsgpackOptions = {}): Promise<MsgpackStore> {
  const { limits = DEFAULT_LIMITS, inflate, crc32 } = options;
  const platform = { inflate, crc32 };
  // All own codecs but this one return copies, never views into the block.
  const viewing = new Set(['raw']);
  const own = allCodecs(platform);
  const codecs = new Map([...own, ...(options.codecs ?? [])].map((codec) => [codec.name, codec] as const));
  const container = await openContainer(source, options);
  const { where, manifest, integrity } = container;
  const { blocks, models, bases } = manifest;
  let model: ManifestModel;
  try {
    model = modelOfManifest(manifest, options.model);
  } catch (error) {
    await container.close().catch(() => {});
    throw locateError(error, { where });
  }
  let open = true;
  const entries = new Map(model.entries.map((entry) => [entry.name, entry]));
  const members = blocks.map((): ManifestEntry[] => []);
  /**
   * Where an entry is among those of its block. A block may have as many entries as the file, so it is not searched for
   * each.
   */
  const places = new Map<ManifestEntry, number>();
  for (const entry of model.entries) {
    if (entry.block !== undefined) places.set(entry, members[entry.block].push(entry) - 1);
  }
  /** Bytes of each block that belong to none of its tensors. */
  const shared = blocks.map(({ length, shares }) => length - shares.reduce((sum, share) => sum + share, 0));
  const decoded = decodedBlocks(decode);
  const selectors = new Map<number, Promise<RowSelector | undefined>>();

  function checkOpen() {
    if (!open) throw new PruneError('invalid-argument', { what: 'the store is closed' });
  }

  async function stored(number: number): Promise<Uint8Array> {
    checkOpen();
    return container.whole(number);
  }

  async function decode(number: number): Promise<Map<string, Tensor>> {
    const block = blocks[number];
    const codec = codecs.get(block.codec);
    if (codec === undefined) {
      const wanted = [...codecs.keys()].join(', ');
      throw new PruneError('unsupported', { what: 'codec', got: block.codec, wanted });
    }
    const infos = members[number] as readonly NamedInfo[];
    const packed = await stored(number);
    let tensors: readonly Tensor[];
    try {
      // A codec that may return views is given a copy, because other blocks share the bytes.
      const bytes = own.includes(codec) && !viewing.has(codec.name) ? packed : await copied(packed);
      tensors = await codec.decode(bytes, infos, limits);
    } catch (error) {
      throw codecError(codec.name, error);
    }
    checkDecoded(tensors, infos, codec.name, limits);
    return new Map(infos.map(({ name }, i) => [name, tensors[i]]));
  }

  /** What selects rows of a block. Made once, by whoever asks first; a failure is forgotten. */
  function selectorOf(number: number): Promise<RowSelector | undefined> {
    const kept = selectors.get(number);
    if (kept !== undefined) return kept;
    const codec = codecs.get(blocks[number].codec);
    const made = (async () => {
      try {
        return await codec?.selectRows?.(container.ranges(number), members[number] as readonly NamedInfo[], limits);
      } catch (error) {
        throw codecError(blocks[number].codec, error);
      }
    })();
    made.catch(() => selectors.delete(number));
    selectors.set(number, made);
    return made;
  }

  const { config, modules, profile, sentence, files } = model;
  const unzip = (packed: Uint8Array, length?: number) =>
    gunzip(packed, { length, limit: limits.metadataBytes, ...platform });

  async function fileBytes({ block, length, vocabulary }: ManifestFile): Promise<Uint8Array> {
    checkOpen();
    const { codec } = blocks[block];
    const known: readonly string[] = Object.values(FILE_CODECS);
    if (!known.includes(codec)) {
      throw new PruneError('unsupported', { what: 'codec of a file', got: codec, wanted: known.join(', ') });
    }
    if (vocabulary === undefined) return unzip(await container.whole(block), length);
    const { rest, lines } = await vocabularyParts({ block, vocabulary });
    return joinVocabulary(rest, lines, { length, vocabulary, crc32: crc32 ?? ownCrc32 });
  }

  async function vocabularyParts({ block, vocabulary }: Pick<ManifestFile, 'block' | 'vocabulary'>) {
    // The manifest was checked: there is a file of that name.
    const { block: linesBlock, length } = files!.find(({ name }) => name === vocabulary)!;
    const [rest, lines] = await container.together([block, linesBlock]);
    return { rest: await unzip(rest), lines: await unzip(lines, length) };
  }

  async function fileParts(file: ManifestFile): Promise<JsonParts | undefined> {
    checkOpen();
    if (file.vocabulary === undefined) return undefined;
    const { rest, lines } = await vocabularyParts(file);
    const json = withoutVocabulary(rest);
    return json && { json, lines };
  }

  const metadata: ModelMetadata = {
    ...(config && { config }),
    ...(modules && { modules }),
    ...(profile && { profile }),
    ...(sentence && { sentence }),
    ...(files && { files: lazyFiles(files, { get: fileBytes, parts: fileParts }, where) }),
  };
  return {
    metadata,
    integrity,
    models: models.flatMap(({ name }) => name ?? []),
    bases,
    keys: () => entries.keys(),
    info(name): StoredInfo | undefined {
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      const { dtype, shape, block, inline } = entry;
      if (block === undefined) return { dtype, shape, codec: 'inline', storedBytes: inline!.length };
      const { codec, shares, base } = blocks[block];
      // What belongs to none of a block's tensors is shared out by turns, so that the sum is the block.
      const place = places.get(entry)!;
      const own = Math.floor((shared[block] + place) / shares.length);
      const info = { dtype, shape, codec, storedBytes: shares[place] + own };
      return base === undefined ? info : { ...info, base: bases[base] };
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
        const packed = await stored(number);
        const rows = rowsOf(codec, packed, infos, limits);
        return rows && storedRows(rows, infos, where, name);
      } catch (error) {
        throw locateError(error, { where, tensor: name });
      }
    },
    async selectRows(names, rows, { signal } = {}): Promise<readonly Tensor[] | undefined> {
      const asked = names.map((name) => entries.get(name));
      const number = asked[0]?.block;
      if (number === undefined || asked.some((entry) => entry?.block !== number)) return undefined;
      try {
        checkAborted(signal);
        checkOpen();
        const select = await untilAborted(selectorOf(number), signal);
        if (select === undefined) return undefined;
        checkOpen();
        const { codec } = blocks[number];
        const tensors = await selectedRows(
          { select, codec, infos: members[number] as readonly NamedInfo[] },
          rows,
          signal,
        );
        return asked.map((entry) => tensors[places.get(entry!)!]);
      } catch (error) {
        throw locateError(error, { where, tensor: names[0] });
      }
    },
    async fetchAhead(most, signal) {
      checkOpen();
      await container.fetchAhead(
        blocks.flatMap((_, number) => (members[number].length > 0 ? number : [])),
        most,
        signal,
      );
    },
    close() {
      open = false;
      return container.close();
    },
  };
}

/** A copy, with pauses: that of a table of 94 MB at once takes more than 100 ms. */
async function copied(bytes: Uint8Array): Promise<Uint8Array> {
  const copy = new Uint8Array(bytes.length);
  await inBlocks(bytes.length, new Pacer(), (from, to) => copy.set(bytes.subarray(from, to), from));
  return copy;
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
  files: readonly ManifestFile[],
  read: {
    get(file: ManifestFile): Promise<Uint8Array>;
    parts(file: ManifestFile): Promise<JsonParts | undefined>;
  },
  where: string,
): ModelFiles {
  const byName = new Map(files.map((file) => [file.name, file]));
  async function located<T>(name: string, work: (file: ManifestFile) => Promise<T>): Promise<T | undefined> {
    const file = byName.get(name);
    if (file === undefined) return undefined;
    try {
      return await work(file);
    } catch (error) {
      throw locateError(error, { where, tensor: name });
    }
  }
  return {
    keys: () => byName.keys(),
    get: (name) => located(name, read.get),
    parts: (name) => located(name, read.parts),
  };
}
