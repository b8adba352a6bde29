import { PruneError } from '../errors/prune-error.js';

/** Bounds on what outside data may make us allocate. Every reader takes them as an option. */
export interface Limits {
  /** Bytes of one decoded tensor. */
  readonly tensorBytes: number;
  /** Tensors in one file. */
  readonly tensors: number;
  /** Dimensions of one tensor. */
  readonly rank: number;
  /** Bytes of a header, manifest, index or pickle. */
  readonly headerBytes: number;
  /** Bytes of a container's manifest, unpacked. */
  readonly manifestBytes: number;
  /** Bytes of one file that travels with a model: config.json, a tokenizer's files. */
  readonly metadataBytes: number;
  /** Bytes of one name in UTF-8, or UTF-16 code units where the name is text already. */
  readonly nameLength: number;
  /**
   * Bytes that a checkpoint may expand to for each byte of its file, inflated or as views of one storage, beside 64
   * MiB.
   */
  readonly expansion: number;
  /** Bytes of a pipe, which is held in memory because it cannot be read by position. */
  readonly streamBytes: number;
}

/**
 * `tensorBytes`: one ArrayBuffer of 2 GiB works in every runtime, and BERT-large's largest tensor has 125 MB.
 * `tensors`: BERT-large has 391 parameters; the elementary form has about six entries a Linear.
 * `rank`: BERT needs 2; torch's own files go to 5.
 * `headerBytes`: the safetensors specification's own bound.
 * `manifestBytes`: an entry takes about 150 bytes, so 100,000 tensors take 15 MB.
 * `metadataBytes`: vocabularies of 250,000 words exist; at 40 bytes a word they take 10 MB. Parsed JSON can take 20 times its bytes.
 * `nameLength`: BERT's longest names have about 100 bytes.
 * `expansion`: DEFLATE alone allows 1032 times, so a file of 100 MB could fill a disk. A matrix of float32 with 99 %
 * zeros deflates to about a 70th, and a model's embeddings are dense.
 * `streamBytes`: a checkpoint of BERT-base has 440 MB. A larger one need not come through a pipe.
 */
export const DEFAULT_LIMITS: Limits = {
  tensorBytes: 2 ** 31,
  tensors: 100_000,
  rank: 8,
  headerBytes: 100_000_000,
  manifestBytes: 2 ** 25,
  metadataBytes: 2 ** 25,
  nameLength: 1024,
  expansion: 256,
  streamBytes: 2 ** 30,
};

/** Throws `limit` when `got` exceeds `limit`; called before the allocation that it guards. */
export function checkLimit(what: string, got: number, limit: number, place: { where?: string; tensor?: string } = {}) {
  if (!(got <= limit)) throw new PruneError('limit', { ...place, what, got, wanted: `at most ${limit}` });
}
