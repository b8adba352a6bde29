import type { Limits } from '../limits/limits.js';
import type { CsrRows } from '../stages/csr-rows.js';
import type { Tensor, TensorInfo } from '../tensors/tensor.js';

/** What a codec knows of a tensor before its elements are there. */
export interface NamedInfo extends TensorInfo {
  readonly name: string;
}

/** A tensor with the name that it is stored under. */
export interface NamedTensor extends Tensor {
  readonly name: string;
}

/** The tensors that share one block. */
export interface CodecGroup {
  /** Tensors of one key share a block, in the order in which they were put. */
  readonly key: string;
  /**
   * How many tensors make the group whole: it is encoded, and its memory freed, as soon as they are there.
   * Left out, the group takes what comes and is encoded when the store is finished.
   */
  readonly size?: number;
}

/** A part of an encoded block. */
export interface EncodedPiece {
  readonly bytes: Uint8Array;
  /** The tensor (its position in the group) that the piece codes, for reports; a piece for all leaves it out. */
  readonly tensor?: number;
  /**
   * The piece is a part that a reader may ask for, and check, without the rest of the block ({@link BlockBytes.part}).
   * A block ends with its parts.
   */
  readonly part?: boolean;
}

/** A stored block that is read by ranges of its bytes. */
export interface BlockBytes {
  readonly length: number;
  /**
   * The bytes of the parts that the encoder made ({@link EncodedPiece.part}), in their order at the end of the block.
   */
  readonly parts: readonly number[];
  /** One of the parts, read and checked by the store, whole. */
  part(index: number): Promise<Uint8Array>;
  /**
   * The ranges `[start, end)` of the block, in this order, which ascend; neighbours may come from one request. The
   * codec checks what they hold.
   */
  read(ranges: readonly (readonly [start: number, end: number])[], signal?: AbortSignal): Promise<Uint8Array[]>;
  /** Set when the caller wants what is read to be checked by cryptographic hashes, not only by CRC-32. */
  readonly sha256?: Sha256;
}

/** The SHA-256 of some bytes: 32 bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Gives some rows of the tensors of a block, in the order of its infos: see `ElementaryStateDict.selectRows`. */
export type RowSelector = (rows: ArrayLike<number>, signal?: AbortSignal) => Promise<readonly Tensor[]>;

/** An encoded block: whole, or in pieces that are written as they come, so that a large tensor never needs a second copy. */
export type EncodedBlock = Uint8Array | Iterable<EncodedPiece> | AsyncIterable<EncodedPiece>;

/**
 * A way to turn tensors into bytes and back. A store has a list of them and asks in its order; what the first cannot take falls
 * through to the next. Everything that decoding needs is in the bytes or in the infos, never in the options of the object.
 */
export interface Codec {
  /** Written into the file; the reader looks its codec up by it. A change of the bytes is a new name. */
  readonly name: string;
  /**
   * The block that a tensor belongs into, or `undefined` when the codec does not want it. Sees every tensor, empty and tiny ones too.
   * A codec without this method codes any tensor, each alone, and is not asked for what is small enough for the manifest.
   */
  group?(info: NamedInfo): CodecGroup | undefined;
  /**
   * The tensors of one group as bytes. Deterministic: equal tensors give equal bytes on every machine.
   * `undefined` when they are not what the codec codes (a CSR triple that does not ascend, an incomplete group): the next codec is asked.
   */
  encode(tensors: readonly NamedTensor[]): EncodedBlock | undefined | Promise<EncodedBlock | undefined>;
  /**
   * The tensors of one block, in the order of `infos`, each with memory of its own or a view of `bytes` (the caller gives them away).
   * The shapes in `infos` were checked against `limits`; whatever else the codec allocates, it checks first.
   * Throws `corrupt` for bytes that do not decode to exactly those tensors.
   */
  decode(
    bytes: Uint8Array,
    infos: readonly NamedInfo[],
    limits: Limits,
  ): readonly Tensor[] | Promise<readonly Tensor[]>;
  /**
   * The matrix of a block that {@link decode} would give as three arrays (`.data`, `.indptr`, `.indices`), as rows that are decoded while they are visited;
   * `undefined` when the block holds something else. Takes the bytes, limits and errors of `decode`; a codec that cannot do better than `decode` leaves it out.
   */
  rows?(bytes: Uint8Array, infos: readonly NamedInfo[], limits: Limits): CsrRows | undefined;
  /**
   * Opens a block of which any rows can be decoded without the others; reads the parts that this needs, and no more.
   * `undefined` when the block holds something else. Throws as `decode` does.
   */
  selectRows?(block: BlockBytes, infos: readonly NamedInfo[], limits: Limits): Promise<RowSelector | undefined>;
}
