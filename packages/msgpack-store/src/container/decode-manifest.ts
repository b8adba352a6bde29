import {
  checkLimit,
  DTYPES,
  elementCount,
  isDtype,
  type JsonObject,
  type Limits,
  Pacer,
  PruneError,
  QUANTIZATION_PROFILES,
  type QuantizationProfile,
  shown,
  TOKENIZER_FILES,
} from '@prune/core';
import { Packr } from 'msgpackr/index-no-eval';
import { checkMsgpack } from './check-msgpack.js';
import { describeFile } from './describe-file.js';
import {
  FILE_CODECS,
  isBaseName,
  isFileName,
  isModelName,
  type Manifest,
  type ManifestBlock,
  type ManifestEntry,
  type ManifestFile,
  type ManifestModel,
  type ManifestPart,
} from './manifest.js';
import { manifestValues, type ValuePath } from './manifest-values.js';
import { type FormatVersion, PROLOGUE_BYTES } from './prologue.js';

const { object, array, text, integer, integers, binary, describe } = manifestValues;

/** A config nests two deep, a manifest around it four more. What is read here is walked recursively elsewhere. */
const MAX_DEPTH = 64;

/**
 * An entry has up to 17 values: itself, four keys, their values and a shape of 8 numbers. A block of one tensor has 12
 * in version 1; in version 2 it has 16, and its parts have 8 each, of which codecs make two.
 */
const VALUES_PER_TENSOR = 17;
const VALUES_PER_BLOCK = 32;
/** config.json of BERT-base has about 120 values, the module versions of BERT-large about 3,000. */
const OTHER_VALUES = 100_000;

/** Models of one file, and files that one file may refer to. */
const MOST_MODELS = 1000;
const MOST_BASES = 1000;
/** Parts of one block: a codec needs two or three. */
const MOST_PARTS = 16;

const SHA256_BYTES = 32;

/** Values that a member of the manifest may have: what no honest file needs would take memory for nothing. */
function mostValues(member: string, version: FormatVersion, { tensors }: Limits): number {
  if (member === 'blocks') return (version === 1 ? VALUES_PER_TENSOR : VALUES_PER_BLOCK) * tensors + 2;
  if (member === 'entries' && version === 1) return VALUES_PER_TENSOR * tensors + 2;
  if (member === 'models' && version === 2) return VALUES_PER_TENSOR * tensors + 4 * OTHER_VALUES;
  return OTHER_VALUES;
}

/**
 * Reads and checks a manifest: every value of its type, blocks end to end from the prologue to `manifestOffset` without
 * overlap or hole, every block used by entries or by a file, names unique, shapes within `limits`, models that share a
 * block with the same tensors in it. Pauses between its steps, which take some 20 ms each for BERT-base.
 * Throws `corrupt`, `limit`, `unsupported`.
 */
export async function decodeManifest(
  bytes: Uint8Array,
  { version, manifestOffset }: { readonly version: FormatVersion; readonly manifestOffset: number },
  limits: Limits,
): Promise<Manifest> {
  const pacer = new Pacer();
  await pacer.pause();
  checkMsgpack(bytes, { depth: MAX_DEPTH, values: (member) => mostValues(member, version, limits) });
  await pacer.pause();
  let value: unknown;
  try {
    // 64-bit integers are numbers: `checkMsgpack` lets none pass that a number does not hold.
    value = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' }).unpack(bytes);
  } catch (cause) {
    throw new PruneError('corrupt', { what: 'manifest is not msgpack', cause });
  }
  await pacer.pause();
  const top = object(value);
  const bases = version === 1 || top.bases === undefined ? [] : array(top.bases, 'bases').map(readBase);
  checkLimit('too many bases', bases.length, MOST_BASES);
  const blocks = array(top.blocks, 'blocks').map((block, i) => readBlock(block, i, version, bases.length));
  checkPlaces(blocks, manifestOffset);
  await pacer.pause();
  const models = version === 1 ? [readModel(top, [], limits)] : readModels(top.models, limits);
  const manifest: Manifest = { blocks, bases, models };
  checkUse(manifest, limits);
  return manifest;
}

function readBase(value: unknown, i: number): string {
  const name = text(object(value, 'bases', i).name, 'bases', i, 'name');
  if (isBaseName(name)) return name;
  throw new PruneError('corrupt', {
    what: describe(['bases', i, 'name']),
    got: shown(name),
    wanted: 'a path or a URL',
  });
}

function readBlock(value: unknown, i: number, version: FormatVersion, bases: number): ManifestBlock {
  const block = object(value, 'blocks', i);
  const read: ManifestBlock = {
    codec: text(block.codec, 'blocks', i, 'codec'),
    length: integer(block.length, 'blocks', i, 'length'),
    crc32: integer(block.crc32, 'blocks', i, 'crc32'),
    shares: integers(block.shares, 'blocks', i, 'shares'),
    parts: [],
  };
  if (version === 1) return { ...read, offset: integer(block.offset, 'blocks', i, 'offset') };
  return {
    ...read,
    ...readPlace(block, i, bases),
    sha256: readSha256(block.sha256, 'blocks', i, 'sha256'),
    parts: readParts(block.parts, i, read.length),
  };
}

function readPlace({ offset, base }: JsonObject, i: number, bases: number): Pick<ManifestBlock, 'offset' | 'base'> {
  if ((offset === undefined) === (base === undefined)) {
    throw new PruneError('corrupt', { what: `block ${i} is neither in this file nor in a base, or both` });
  }
  if (base === undefined) return { offset: integer(offset, 'blocks', i, 'offset') };
  const number = integer(base, 'blocks', i, 'base');
  if (number < bases) return { base: number };
  throw new PruneError('corrupt', { what: `block ${i}: no such base`, got: number, wanted: `below ${bases}` });
}

function readParts(value: unknown, block: number, length: number): readonly ManifestPart[] {
  if (value === undefined) return [];
  const parts = array(value, 'blocks', block, 'parts').map((part, i): ManifestPart => {
    const path = ['blocks', block, 'parts', i] as const;
    const { length, crc32, sha256 } = object(part, ...path);
    return {
      length: integer(length, ...path, 'length'),
      crc32: integer(crc32, ...path, 'crc32'),
      sha256: readSha256(sha256, ...path, 'sha256'),
    };
  });
  checkLimit(`too many parts of block ${block}`, parts.length, MOST_PARTS);
  const all = parts.reduce((sum, part) => sum + part.length, 0);
  if (all <= length) return parts;
  throw new PruneError('corrupt', {
    what: `bytes of the parts of block ${block}`,
    got: all,
    wanted: `at most ${length}`,
  });
}

function readSha256(value: unknown, ...path: ValuePath): Uint8Array {
  const sum = binary(value, ...path);
  if (sum.length === SHA256_BYTES) return sum;
  throw new PruneError('corrupt', {
    what: describe(path),
    got: `${sum.length} bytes`,
    wanted: `${SHA256_BYTES} bytes`,
  });
}

function readModels(value: unknown, limits: Limits): readonly ManifestModel[] {
  const models = array(value, 'models');
  checkLimit('too many models', models.length, MOST_MODELS);
  if (models.length === 0) throw new PruneError('corrupt', { what: 'manifest.models', got: 'none', wanted: 'a model' });
  const read = models.map((model, i): ManifestModel => {
    const members = object(model, 'models', i);
    if (members.name === undefined && models.length === 1) return readModel(members, ['models', i], limits);
    const name = text(members.name, 'models', i, 'name');
    if (!isModelName(name)) {
      throw new PruneError('corrupt', { what: describe(['models', i, 'name']), got: shown(name), wanted: 'a name' });
    }
    return { name, ...readModel(members, ['models', i], limits) };
  });
  checkNames(
    'two models have one name',
    read.flatMap(({ name }) => name ?? []),
  );
  const tensors = read.reduce((sum, { entries }) => sum + entries.length, 0);
  checkLimit('too many tensors', tensors, limits.tensors);
  return read;
}

function readModel(model: JsonObject, path: ValuePath, limits: Limits): ManifestModel {
  const values = array(model.entries, ...path, 'entries');
  const files =
    model.files === undefined
      ? undefined
      : array(model.files, ...path, 'files').map((file, i) => readFile(file, [...path, 'files', i]));
  checkLimit('too many tensors', values.length, limits.tensors);
  const entries = values.map((entry, i) => readEntry(entry, [...path, 'entries', i], limits));
  const json = (member: string) => (model[member] === undefined ? undefined : object(model[member], ...path, member));
  checkNames(
    'two entries have one name',
    entries.map(({ name }) => name),
  );
  checkNames(
    'two entries have one name',
    (files ?? []).map(({ name }) => name),
  );
  return {
    entries,
    files,
    config: json('config'),
    modules: json('modules'),
    profile: readProfile(model.profile),
    sentence: json('sentence'),
  };
}

function readEntry(value: unknown, path: ValuePath, limits: Limits): ManifestEntry {
  const entry = object(value, ...path);
  const name = text(entry.name, ...path, 'name');
  if (name.length > limits.nameLength) {
    const tensor = `${name.slice(0, 80)}...`;
    throw new PruneError('limit', {
      what: 'name is too long (characters)',
      got: name.length,
      wanted: `at most ${limits.nameLength}`,
      tensor,
    });
  }
  const shape = integers(entry.shape, ...path, 'shape');
  const inline = entry.inline === undefined ? undefined : binary(entry.inline, ...path, 'inline');
  const block = entry.block === undefined ? undefined : integer(entry.block, ...path, 'block');
  if ((inline === undefined) === (block === undefined)) {
    throw new PruneError('corrupt', { what: 'an entry is neither inline nor in a block, or both', tensor: name });
  }
  const { dtype } = entry;
  if (dtype === 'string') {
    if (shape.length > 0 || inline === undefined) {
      throw new PruneError('corrupt', { what: 'a string is not an inline scalar', tensor: name });
    }
    return { name, dtype, shape, inline };
  }
  if (!isDtype(dtype)) throw new PruneError('unsupported', { what: 'dtype', got: shown(dtype), tensor: name });
  const bytes = elementCount({ dtype, shape }, { tensor: name }, limits) * DTYPES[dtype].bytes;
  if (inline !== undefined && inline.length !== bytes) {
    throw new PruneError('corrupt', { what: 'inline bytes', got: inline.length, wanted: bytes, tensor: name });
  }
  return { name, dtype, shape, block, inline };
}

function readFile(value: unknown, path: ValuePath): ManifestFile {
  const file = object(value, ...path);
  const name = text(file.name, ...path, 'name');
  if (!isFileName(name)) {
    const what = describe([...path, 'name']);
    throw new PruneError('unsupported', { what, got: shown(name), wanted: TOKENIZER_FILES.join(', ') });
  }
  return {
    name,
    length: integer(file.length, ...path, 'length'),
    block: integer(file.block, ...path, 'block'),
    ...(file.vocabulary !== undefined && { vocabulary: text(file.vocabulary, ...path, 'vocabulary') }),
  };
}

function readProfile(value: unknown): QuantizationProfile | undefined {
  if (value === undefined) return undefined;
  const profile = QUANTIZATION_PROFILES.find((known) => known === value);
  if (profile === undefined) throw new PruneError('unsupported', { what: 'quantization profile', got: shown(value) });
  return profile;
}

function checkPlaces(blocks: readonly ManifestBlock[], end: number) {
  let at = PROLOGUE_BYTES;
  for (const [i, { offset, length }] of blocks.entries()) {
    if (offset === undefined) continue;
    if (offset !== at) throw new PruneError('corrupt', { what: `offset of block ${i}`, got: offset, wanted: at });
    at += length;
  }
  if (at !== end) throw new PruneError('corrupt', { what: 'the blocks end', got: at, wanted: end });
}

function checkNames(what: string, names: readonly string[]) {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new PruneError('corrupt', { what, tensor: name });
    seen.add(name);
  }
}

/** What a block holds: the dtypes and shapes of its tensors, or a file. Models that share a block agree on it. */
function checkUse({ blocks, models }: Manifest, limits: Limits) {
  const holds = new Map<number, string>();
  for (const model of models) {
    const members = membersOf(model, blocks.length);
    for (const file of model.files ?? []) {
      const { name, block, length } = file;
      checkLimit('file is too large (bytes)', length, limits.metadataBytes, { tensor: name });
      if (block >= blocks.length || members.has(block)) {
        throw new PruneError('corrupt', { what: 'a file without a block of its own', got: block, tensor: name });
      }
      checkVocabulary(file, model, blocks[block].codec);
      members.set(block, [describeFile(file, model)]);
    }
    for (const [block, tensors] of members) {
      const { shares, length } = blocks[block];
      const shared = shares.reduce((sum, share) => sum + share, 0);
      if (shares.length !== tensors.length || shared > length) {
        throw new PruneError('corrupt', {
          what: `block ${block} does not fit its tensors`,
          got: `${shares.length} shares of ${shared} bytes`,
          wanted: `${tensors.length} of at most ${length}`,
        });
      }
      const described = tensors.join(', ');
      const before = holds.get(block) ?? described;
      if (before !== described) {
        const what = `block ${block} holds different tensors for two models`;
        throw new PruneError('corrupt', { what, got: described, wanted: before });
      }
      holds.set(block, described);
    }
  }
  const unused = blocks.findIndex((_, block) => !holds.has(block));
  if (unused === -1) return;
  const { shares, length } = blocks[unused];
  throw new PruneError('corrupt', {
    what: `block ${unused} does not fit its tensors`,
    got: `${shares.length} shares`,
    wanted: `0 of at most ${length}`,
  });
}

/** A file's vocabulary is another file of the model, which is whole without a third one. */
function checkVocabulary({ name, vocabulary }: ManifestFile, { files }: ManifestModel, codec: string): void {
  const { jsonVocabulary } = FILE_CODECS;
  if ((codec === jsonVocabulary) !== (vocabulary !== undefined)) {
    const got = vocabulary === undefined ? 'none' : shown(vocabulary);
    const wanted = codec === jsonVocabulary ? 'a file' : 'none';
    throw new PruneError('corrupt', { what: `the vocabulary of a block of codec ${codec}`, got, wanted, tensor: name });
  }
  if (vocabulary === undefined) return;
  const found = files?.find((file) => file.name === vocabulary);
  if (found !== undefined && found.vocabulary === undefined) return;
  const what = found === undefined ? 'the file of a vocabulary is missing' : 'the vocabulary of a vocabulary';
  throw new PruneError('corrupt', { what, got: shown(vocabulary), tensor: name });
}

/** The tensors of each block that a model uses, put into words. */
function membersOf({ entries }: ManifestModel, blocks: number): Map<number, string[]> {
  const members = new Map<number, string[]>();
  for (const { name, dtype, shape, block } of entries) {
    if (block === undefined) continue;
    if (block >= blocks) {
      throw new PruneError('corrupt', { what: 'no such block', got: block, wanted: `below ${blocks}`, tensor: name });
    }
    const tensors = members.get(block) ?? [];
    tensors.push(`${dtype} [${shape.join()}]`);
    members.set(block, tensors);
  }
  return members;
}
