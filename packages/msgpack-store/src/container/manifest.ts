import type { Dtype, JsonObject, QuantizationProfile } from '@prune/core';
import { TOKENIZER_FILES } from '@prune/core';

/** A part that ends a block, and that is read and checked without the rest. */
export interface ManifestPart {
  readonly length: number;
  readonly crc32: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
}

/** A run of bytes of a file: what one codec made of one tensor, or of several. */
export interface ManifestBlock {
  readonly codec: string;
  /** Where it begins in this file; `undefined` for a block that lies in a base. */
  readonly offset?: number;
  /** The number of the base that has it. */
  readonly base?: number;
  readonly length: number;
  /** Of the bytes as they are stored. */
  readonly crc32: number;
  /** Of the bytes as they are stored: 32 bytes. Files of version 1 do not have it. */
  readonly sha256?: Uint8Array;
  /** The stored bytes that belong to each of its tensors, in their order, for reports; the rest is shared. */
  readonly shares: readonly number[];
  /** In file order; the last one ends with the block. */
  readonly parts: readonly ManifestPart[];
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

/** The codecs of blocks that hold a file. */
export const FILE_CODECS = { gzip: 'gzip', jsonVocabulary: 'json-vocabulary' } as const;

/** A file of the tokenizer, in a block of its own. */
export interface ManifestFile {
  readonly name: string;
  readonly length: number;
  readonly block: number;
  /** The name of the file, of the same model, that has what a block of codec `json-vocabulary` lacks. */
  readonly vocabulary?: string;
}

/** A model of the file. */
export interface ManifestModel {
  /** `undefined` when the file has one model. */
  readonly name?: string;
  readonly entries: readonly ManifestEntry[];
  readonly files?: readonly ManifestFile[];
  readonly config?: JsonObject;
  readonly modules?: JsonObject;
  readonly profile?: QuantizationProfile;
  readonly sentence?: JsonObject;
}

/** The table of contents of a container, of version 1 or 2. */
export interface Manifest {
  readonly blocks: readonly ManifestBlock[];
  /** The names of the files that have blocks of this one. */
  readonly bases: readonly string[];
  readonly models: readonly ManifestModel[];
}

/**
 * Whether a container holds files of this name: a tokenizer's alone. They are written into a folder one day, and must
 * not replace other files there.
 */
export function isFileName(name: string): boolean {
  return TOKENIZER_FILES.includes(name);
}

/** Characters of a model's name, and of a base's. */
const MODEL_NAME = 100;
const BASE_NAME = 2000;

/** Whether a model may be called so: `file.prune#name` must be the name of one model. */
export function isModelName(name: string): boolean {
  return name.length > 0 && name.length <= MODEL_NAME && !/[#/\\\p{C}]/u.test(name);
}

/** Whether a base may be called so. */
export function isBaseName(name: string): boolean {
  return name.length > 0 && name.length <= BASE_NAME && !/\p{C}/u.test(name);
}
