import {
  type ByteSink,
  type Codec,
  type Crc32,
  type Elementary,
  type EncodedBlock,
  type EncodedPiece,
  entriesOf,
  locateError,
  type ModelMetadata,
  type NamedTensor,
  crc32 as ownCrc32,
  Pacer,
  PruneError,
  shown,
  type Tensor,
  type TensorStoreWriter,
  TOKENIZER_FILES,
  tensor,
  tensorBytes,
} from '@prune/core';
import { codecError } from './codecs/codec-error.js';
import { codecList } from './codecs/codec-list.js';
import {
  FILE_CODECS,
  isFileName,
  type ManifestBlock,
  type ManifestEntry,
  type ManifestFile,
  type ManifestPart,
} from './container/manifest.js';
import { PROLOGUE_BYTES } from './container/prologue.js';
import { writeEnd } from './container/write-end.js';
import { crcInTurns } from './crc-in-turns.js';
import { gzip } from './deflate/gzip.js';
import { segmentOf } from './deflate/segment.js';
import { type CreateSha256, runningSha256, sha256Of } from './running-sha256.js';
import { cutVocabulary } from './vocabulary/cut-vocabulary.js';

/** Options of {@link createMsgpackStore}. */
export interface CreateMsgpackOptions {
  /** For messages. */
  readonly name?: string;
  /** Asked in their order for each tensor. Default: `codecList()`. */
  readonly codecs?: readonly Codec[];
  /** Of blocks. */
  readonly crc32?: Crc32;
  /** Of blocks. Default: a portable SHA-256. */
  readonly createSha256?: CreateSha256;
}

/** Of the tokenizer's files: level 9 takes twice as long for a thousandth. */
const FILE_LEVEL = 6;

/** Files that may have in them, written another way, what another file of the tokenizer says. */
const VOCABULARIES: Readonly<Record<string, string>> = { 'tokenizer.json': 'vocab.txt' };

/** Up to here a tensor sits in the manifest: a block of its own would take more to describe. */
const INLINE_BYTES = 64;

/** Tensors that wait for the rest of their group. */
interface OpenGroup {
  readonly codec: number;
  readonly size: number | undefined;
  readonly tensors: NamedTensor[];
  /** The entries in the manifest that will say which block has them. */
  readonly entries: number[];
}

/**
 * Starts a `.prune` container. Blocks are written as their tensors come; the manifest and then the prologue are last, and the sink is committed
 * by `finish`. The same entries and metadata give the same bytes. Throws `invalid-argument` for a name put twice, and what the sink throws.
 */
export async function createMsgpackStore(
  sink: ByteSink,
  {
    name: where = 'container',
    codecs = codecList(),
    crc32 = ownCrc32,
    createSha256 = runningSha256,
  }: CreateMsgpackOptions = {},
): Promise<TensorStoreWriter> {
  const blocks: ManifestBlock[] = [];
  const entries: ManifestEntry[] = [];
  const names = new Set<string>();
  const groups = new Map<string, OpenGroup>();
  let offset = PROLOGUE_BYTES;
  let done = false;
  let turn: Promise<unknown> = Promise.resolve();
  await sink.write(new Uint8Array(PROLOGUE_BYTES));

  /** Appends one block, piece by piece, with pauses, and describes it. */
  async function writeBlock(codec: string, encoded: EncodedBlock, tensors: number): Promise<number> {
    const shares = new Array<number>(tensors).fill(0);
    const parts: ManifestPart[] = [];
    const sha256 = createSha256();
    const start = offset;
    let crc = 0;
    const pacer = new Pacer();
    const pieces: Iterable<EncodedPiece> | AsyncIterable<EncodedPiece> =
      encoded instanceof Uint8Array
        ? [{ bytes: encoded, tensor: tensors === 1 ? 0 : undefined }]
        : piecesOf(codec, encoded);
    for await (const { bytes, tensor, part } of pieces) {
      if (part) parts.push({ length: bytes.byteLength, crc32: crc32(bytes), sha256: sha256Of(createSha256)(bytes) });
      else if (parts.length > 0 && bytes.byteLength > 0) {
        throw new PruneError('corrupt', { what: `codec ${codec} gave bytes after the parts that end a block` });
      }
      await sink.write(bytes);
      crc = await crcInTurns(bytes, crc32, pacer, crc);
      sha256.update(bytes);
      offset += bytes.byteLength;
      if (tensor !== undefined) shares[tensor] += bytes.byteLength;
    }
    // What a tensor has for itself it has whole, header and trailer too.
    if (tensors === 1) shares[0] = offset - start;
    const sums = { crc32: crc, sha256: sha256.digest() };
    return blocks.push({ codec, offset: start, length: offset - start, ...sums, shares, parts }) - 1;
  }

  /** Offers a group to its codec; what that declines goes on to the codecs after it, one tensor at a time. */
  async function encode({ codec: first, tensors, entries: places }: OpenGroup): Promise<void> {
    const codec = codecs[first];
    const encoded = await encodedBy(codec, tensors);
    if (encoded !== undefined) {
      const block = await writeBlock(codec.name, encoded, tensors.length);
      for (const place of places) entries[place] = { ...entries[place], block };
      return;
    }
    for (const [i, tensor] of tensors.entries()) await offer(tensor, places[i], first + 1);
  }

  async function offer(tensor: NamedTensor, place: number, first: number): Promise<void> {
    for (let i = first; i < codecs.length; i++) {
      const group = codecs[i].group ? codecs[i].group?.(tensor) : { key: tensor.name, size: 1 };
      if (group === undefined) continue;
      // Two codecs may use the same key for different groups.
      const key = `${i} ${group.key}`;
      const open = groups.get(key) ?? { codec: i, size: group.size, tensors: [], entries: [] };
      groups.set(key, open);
      open.tensors.push(tensor);
      open.entries.push(place);
      if (open.tensors.length === open.size) {
        groups.delete(key);
        await encode(open);
      }
      return;
    }
    throw new PruneError('unsupported', { what: 'no codec takes the tensor', got: tensor.dtype, tensor: tensor.name });
  }

  /** Encodes every group that is still open; what a codec declines may open groups of a later one. */
  async function encodeOpenGroups(): Promise<void> {
    while (groups.size > 0) {
      const [key, group] = groups.entries().next().value!;
      groups.delete(key);
      await encode(group);
    }
  }

  async function writeFiles(metadata: ModelMetadata): Promise<ManifestFile[] | undefined> {
    if (metadata.files === undefined) return undefined;
    const files: ManifestFile[] = [];
    for await (const [name, bytes] of entriesOf(metadata.files)) {
      if (!isFileName(name))
        throw new PruneError('invalid-argument', {
          what: 'not a file of a tokenizer',
          got: shown(name),
          wanted: TOKENIZER_FILES.join(', '),
        });
      const vocabulary = VOCABULARIES[name];
      const lines = vocabulary === undefined ? undefined : await metadata.files.get(vocabulary);
      const rest = lines && cutVocabulary(bytes, lines, crc32);
      const codec = rest === undefined ? FILE_CODECS.gzip : FILE_CODECS.jsonVocabulary;
      const block = await writeBlock(codec, gzip([segmentOf(rest ?? bytes, 0)], FILE_LEVEL), 1);
      files.push({ name, length: bytes.byteLength, block, ...(rest && { vocabulary }) });
    }
    return files;
  }

  /**
   * One step after another, however they are called: the pieces of two blocks must not mix. A step that fails is the last, for it may have left
   * half a block.
   */
  function inTurn(step: () => Promise<void>, tensor?: string): Promise<void> {
    const result = turn.then(async () => {
      if (done) throw new PruneError('invalid-argument', { where, what: 'the writer is finished, aborted or failed' });
      try {
        await step();
      } catch (error) {
        done = true;
        throw locateError(error, { where, tensor });
      }
    });
    turn = result.catch(() => {});
    return result;
  }

  return {
    put: (name: string, value: Elementary) =>
      inTurn(async () => {
        if (names.has(name)) throw new PruneError('invalid-argument', { what: 'a name is put twice' });
        names.add(name);
        const entry = entryOf(name, value, codecs);
        const place = entries.push(entry) - 1;
        if (entry.inline === undefined) await offer({ name, ...(value as Tensor) }, place, 0);
      }, name),
    finish: (metadata: ModelMetadata) =>
      inTurn(async () => {
        await encodeOpenGroups();
        const files = await writeFiles(metadata);
        const { config, modules, profile, sentence } = metadata;
        const model = { entries, files, config, modules, profile, sentence };
        await writeEnd(sink, offset, { blocks, bases: [], models: [model] }, crc32);
        done = true;
      }),
    async abort() {
      done = true;
      await sink.abort();
    },
  };
}

async function encodedBy(codec: Codec, tensors: readonly NamedTensor[]): Promise<EncodedBlock | undefined> {
  try {
    return await codec.encode(tensors);
  } catch (error) {
    throw codecError(codec.name, error);
  }
}

/** What the sink throws while a piece is written does not pass through here. */
async function* piecesOf(
  codec: string,
  pieces: Iterable<EncodedPiece> | AsyncIterable<EncodedPiece>,
): AsyncGenerator<EncodedPiece> {
  try {
    yield* pieces;
  } catch (error) {
    throw codecError(codec, error);
  }
}

/** The entry of a value: inline where it is small and no codec asks for it. */
function entryOf(name: string, value: Elementary, codecs: readonly Codec[]): ManifestEntry {
  // Half a surrogate pair has no UTF-8: it would come back as another text.
  if (/\p{Surrogate}/u.test(name) || (typeof value === 'string' && /\p{Surrogate}/u.test(value)))
    throw new PruneError('invalid-argument', { what: 'a name or text with half a surrogate pair' });
  if (typeof value === 'string') return { name, dtype: 'string', shape: [], inline: new TextEncoder().encode(value) };
  const { dtype, shape, data } = tensor(value.dtype, value.shape, value.data);
  const grouped = codecs.some((codec) => codec.group?.({ name, dtype, shape }) !== undefined);
  if (grouped || data.byteLength > INLINE_BYTES) return { name, dtype, shape };
  return { name, dtype, shape, inline: tensorBytes(value).slice() };
}
