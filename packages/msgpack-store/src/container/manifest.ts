import {
  checkLimit,
  DTYPES,
  type Dtype,
  elementCount,
  isDtype,
  type JsonObject,
  type Limits,
  PruneError,
  QUANTIZATION_PROFILES,
  type QuantizationProfile,
  shown,
  TOKENIZER_FILES,
} from '@prune/core';
import { Packr } from 'msgpackr/index-no-eval';
import { checkMsgpack } from './check-msgpack.js';
import { PROLOGUE_BYTES } from './prologue.js';

/** A run of bytes of the file: what one codec made of one tensor, or of several. */
export interface ManifestBlock {
  readonly codec: string;
  readonly offset: number;
  readonly length: number;
  /** Of the bytes as they are stored. */
  readonly crc32: number;
  /** The stored bytes that belong to each of its tensors, in their order, for reports; the rest is shared. */
  readonly shares: readonly number[];
}

/** An entry of the elementary form: in a block, inline, or a string. */
export interface ManifestEntry {
  readonly name: string;
  readonly dtype: Dtype | 'string';
  readonly shape: readonly number[];
  /** The number of its block; the entries of a block are in the block's own order. */
  readonly block?: number;
  /** The bytes of a small tensor, or of a string as UTF-8. */
  readonly inline?: Uint8Array;
}

/** A file of the tokenizer, in a block of its own. */
export interface ManifestFile {
  readonly name: string;
  readonly length: number;
  readonly block: number;
}

/** The table of contents of a container. */
export interface Manifest {
  readonly blocks: readonly ManifestBlock[];
  readonly entries: readonly ManifestEntry[];
  readonly files?: readonly ManifestFile[];
  readonly config?: JsonObject;
  readonly modules?: JsonObject;
  readonly profile?: QuantizationProfile;
  readonly sentence?: JsonObject;
}

// 64-bit integers are numbers: `checkMsgpack` lets none pass that a number does not hold.
const packr = () => new Packr({ useRecords: false, mapsAsObjects: true, variableMapSize: true, int64AsType: 'number' });

/** A config nests two deep, a manifest around it two more. What is read here is walked recursively elsewhere. */
const MAX_DEPTH = 64;

/**
 * An entry has up to 17 values (itself, four keys, their values and a shape of 8 numbers), a block of one tensor has
 * 12.
 */
const VALUES_PER_TENSOR = 17;
/** config.json of BERT-base has about 120 values, the module versions of BERT-large about 3,000. */
const OTHER_VALUES = 100_000;

/** Values that a member of the manifest may have: what no honest file needs would take memory for nothing. */
function mostValues(member: string, { tensors }: Limits): number {
  return member === 'entries' || member === 'blocks' ? VALUES_PER_TENSOR * tensors + 2 : OTHER_VALUES;
}

/** The manifest as msgpack. What is undefined is left out. */
export function encodeManifest(manifest: Manifest): Uint8Array {
  const packed = packr().pack({
    blocks: manifest.blocks,
    entries: manifest.entries.map((entry) => withoutUndefined(entry)),
    ...withoutUndefined({
      files: manifest.files,
      config: manifest.config,
      modules: manifest.modules,
      profile: manifest.profile,
      sentence: manifest.sentence,
    }),
  });
  return new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength).slice();
}

/**
 * Reads and checks a manifest: every value of its type, blocks end to end from the prologue to `manifestOffset` without overlap or hole, every
 * block used by entries or by a file, names unique, shapes within `limits`. Throws `corrupt`, `limit`, `unsupported`.
 */
export function decodeManifest(bytes: Uint8Array, manifestOffset: number, limits: Limits): Manifest {
  checkMsgpack(bytes, { depth: MAX_DEPTH, values: (member) => mostValues(member, limits) });
  let value: unknown;
  try {
    value = packr().unpack(bytes);
  } catch (cause) {
    throw new PruneError('corrupt', { what: 'manifest is not msgpack', cause });
  }
  const manifest = object(value);
  const blocks = array(manifest.blocks, 'blocks').map(readBlock);
  const entries = array(manifest.entries, 'entries');
  const files = manifest.files === undefined ? undefined : array(manifest.files, 'files').map(readFile);
  checkLimit('too many tensors', entries.length, limits.tensors);
  checkPlaces(blocks, manifestOffset);
  const read: Manifest = {
    blocks,
    entries: entries.map((entry, i) => readEntry(entry, i, limits)),
    files,
    config: manifest.config === undefined ? undefined : object(manifest.config, 'config'),
    modules: manifest.modules === undefined ? undefined : object(manifest.modules, 'modules'),
    profile: readProfile(manifest.profile),
    sentence: manifest.sentence === undefined ? undefined : object(manifest.sentence, 'sentence'),
  };
  checkNames(read.entries.map(({ name }) => name));
  checkNames((files ?? []).map(({ name }) => name));
  checkUse(read, limits);
  return read;
}

function readBlock(value: unknown, i: number): ManifestBlock {
  const block = object(value, 'blocks', i);
  return {
    codec: text(block.codec, 'blocks', i, 'codec'),
    offset: integer(block.offset, 'blocks', i, 'offset'),
    length: integer(block.length, 'blocks', i, 'length'),
    crc32: integer(block.crc32, 'blocks', i, 'crc32'),
    shares: integers(block.shares, 'blocks', i, 'shares'),
  };
}

function readEntry(value: unknown, i: number, limits: Limits): ManifestEntry {
  const entry = object(value, 'entries', i);
  const name = text(entry.name, 'entries', i, 'name');
  if (name.length > limits.nameLength) {
    const tensor = `${name.slice(0, 80)}...`;
    throw new PruneError('limit', {
      what: 'name is too long (characters)',
      got: name.length,
      wanted: `at most ${limits.nameLength}`,
      tensor,
    });
  }
  const shape = integers(entry.shape, 'entries', i, 'shape');
  const inline = entry.inline === undefined ? undefined : binary(entry.inline, 'entries', i, 'inline');
  const block = entry.block === undefined ? undefined : integer(entry.block, 'entries', i, 'block');
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

/**
 * Whether a container holds files of this name: a tokenizer's alone. They are written into a folder one day, and must
 * not replace other files there.
 */
export function isFileName(name: string): boolean {
  return TOKENIZER_FILES.includes(name);
}

function readFile(value: unknown, i: number): ManifestFile {
  const file = object(value, 'files', i);
  const name = text(file.name, 'files', i, 'name');
  if (!isFileName(name)) {
    const what = describe(['files', i, 'name']);
    throw new PruneError('unsupported', { what, got: shown(name), wanted: TOKENIZER_FILES.join(', ') });
  }
  return {
    name,
    length: integer(file.length, 'files', i, 'length'),
    block: integer(file.block, 'files', i, 'block'),
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
    if (offset !== at) throw new PruneError('corrupt', { what: `offset of block ${i}`, got: offset, wanted: at });
    at += length;
  }
  if (at !== end) throw new PruneError('corrupt', { what: 'the blocks end', got: at, wanted: end });
}

function checkNames(names: readonly string[]) {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new PruneError('corrupt', { what: 'two entries have one name', tensor: name });
    seen.add(name);
  }
}

function checkUse({ blocks, entries, files = [] }: Manifest, limits: Limits) {
  const members = blocks.map(() => 0);
  for (const { name, block } of entries) {
    if (block === undefined) continue;
    if (block >= blocks.length) {
      throw new PruneError('corrupt', {
        what: 'no such block',
        got: block,
        wanted: `below ${blocks.length}`,
        tensor: name,
      });
    }
    members[block]++;
  }
  for (const { name, block, length } of files) {
    checkLimit('file is too large (bytes)', length, limits.metadataBytes, { tensor: name });
    if (block >= blocks.length || members[block] !== 0) {
      throw new PruneError('corrupt', { what: 'a file without a block of its own', got: block, tensor: name });
    }
    members[block] = 1;
  }
  for (const [i, { shares, length }] of blocks.entries()) {
    const shared = shares.reduce((sum, share) => sum + share, 0);
    if (members[i] === 0 || shares.length !== members[i] || shared > length) {
      throw new PruneError('corrupt', {
        what: `block ${i} does not fit its tensors`,
        got: `${shares.length} shares of ${shared} bytes`,
        wanted: `${members[i]} of at most ${length}`,
      });
    }
  }
}

function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}

/** Where in the manifest a value is: the members on the way to it. Put into words only when it is wrong; there are thousands of them. */
type Path = readonly (string | number)[];

function object(value: unknown, ...path: Path): JsonObject {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
  if (!plain) throw wrong(path, value, 'a map');
  return value as JsonObject;
}

function array(value: unknown, ...path: Path): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(path, value, 'an array');
  return value;
}

function text(value: unknown, ...path: Path): string {
  if (typeof value !== 'string') throw wrong(path, value, 'a string');
  return value;
}

function integer(value: unknown, ...path: Path): number {
  if (!isCount(value)) throw wrong(path, value, 'an integer >= 0');
  return value;
}

function integers(value: unknown, ...path: Path): readonly number[] {
  const values = array(value, ...path);
  const bad = values.findIndex((one) => !isCount(one));
  if (bad !== -1) throw wrong([...path, bad], values[bad], 'an integer >= 0');
  return values as readonly number[];
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function binary(value: unknown, ...path: Path): Uint8Array {
  if (!(value instanceof Uint8Array)) throw wrong(path, value, 'bytes');
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

function wrong(path: Path, got: unknown, wanted: string): PruneError {
  return new PruneError('corrupt', { what: describe(path), got: got === null ? 'null' : typeof got, wanted });
}

/** `manifest.entries[3].name` */
function describe(path: Path): string {
  return `manifest${path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('')}`;
}
