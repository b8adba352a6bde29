import type { Dtype, Tensor, TensorInfo } from '../tensors/tensor.js';
import type { CsrRows } from './csr-rows.js';
import type { DenseInt8Matrix } from './int8-matrix.js';

/**
 * The stages that a model goes through, one type each:
 *
 *     StateDict ──quantizeDynamic──► QuantizedStateDict ──decompose──► elementary entries ──TensorStoreWriter──► bytes
 *     StateDict ◄──dequantize─────── QuantizedStateDict ◄──recompose── ElementaryStateDict ◄──TensorStore─────── bytes
 *
 * Each is read by name, one value at a time, so that no step ever holds a whole model.
 *
 * A function that wraps a state dict returns an object that `satisfies Required<StateDict>`, or the type of its stage.
 * Otherwise nobody notices a forgotten optional member: the results are the same, and reading them is slower.
 */

/** What every stage is read through. A `Map` is one. */
export interface ReadableMap<V> {
  /** The names, in the order of the model's own definition where the source keeps it. */
  keys(): Iterable<string>;
  /** The value of a name; `undefined` when there is no such name. */
  get(name: string): V | undefined | Promise<V | undefined>;
}

/** Stage 1: parameter name -> float tensor. A `Map<string, Tensor>` is one; so is an open checkpoint. */
export interface StateDict extends ReadableMap<Tensor> {
  /** A tensor to be read piece by piece; `undefined` when there is none of that name, or when {@link get} alone has it. */
  pieces?(name: string): TensorPieces | undefined;
}

/** A tensor that is never in memory as a whole. */
export interface TensorPieces extends TensorInfo {
  /** Its elements in their order, as vectors. A piece's memory is used again once the next one is asked for. Throws as `get` does. */
  pieces(): AsyncIterable<Tensor>;
}

/** How the integers of a matrix stand for real numbers: `w = scale * (q - zero point)`. */
export interface WeightScales {
  /** PyTorch's name: one scale for the matrix, or one a row (axis 0). */
  readonly qscheme: 'per_tensor_affine' | 'per_channel_affine';
  /** One scale (per tensor) or `rows` of them; float32 values held as float64, as PyTorch returns them. */
  readonly scales: Float64Array;
}

/** A Linear module whose weight is an int8 matrix, dense ({@link DenseInt8Matrix}) or sparse ({@link CsrMatrix}). */
export interface QuantizedLinear<M = DenseInt8Matrix> extends WeightScales {
  readonly kind: 'linear';
  readonly weight: M;
  /** float32 `[rows]`, or `null` for `bias=None`. */
  readonly bias: Tensor<'float32'> | null;
}

/** An embedding table quantized row by row, weight only (PyTorch's `float_qparams_weight_only_qconfig`). */
export interface QuantizedEmbedding {
  readonly kind: 'embedding';
  /** 8: one byte an element. 4: two elements a byte, the even column in the low half. */
  readonly bits: 8 | 4;
  readonly shape: readonly [rows: number, columns: number];
  /** `[rows, columns]` for 8 bits, `[rows, ceil(columns / 2)]` for 4. */
  readonly intRepr: Uint8Array;
  /** `[rows]` */
  readonly scales: Float32Array;
  /** `[rows]`, floats: `w = (q - zeroPoint) * scale`. */
  readonly zeroPoints: Float32Array;
}

/** Stage 2: module name -> quantized module, parameter name -> float tensor for everything that stays float. */
export type QuantizedStateDict<M = DenseInt8Matrix> = ReadableMap<QuantizedLinear<M> | QuantizedEmbedding | Tensor>;

/** A value of the elementary form: a tensor, or a string (the notebook's `dtype` entries). */
export type Elementary = Tensor | string;

/** Stage 3: flat name -> elementary value; what a store holds. A `Map<string, Elementary>` is one. */
export interface ElementaryStateDict extends ReadableMap<Elementary> {
  /** What a value is, without reading it; `undefined` when there is none of that name, or when only `get` tells. */
  info?(name: string): ElementaryInfo | undefined;
  /**
   * The matrix whose arrays are `<name>.data`, `.indptr` and `.indices`, to be read row by row; `undefined` when there is none of that name, or when
   * {@link get} alone has it. Its columns may be those in use only.
   */
  rows?(name: string): Promise<CsrRows | undefined>;
  /**
   * Some rows (slices of the first dimension) of tensors that have equally many, read without the others: each tensor
   * as `get` would give it, with `rows.length` rows in the order of `rows`, whose numbers may repeat. `undefined` when
   * {@link get} alone has them, or when the tensors are not stored together. The tensors of a quantized table are asked
   * for in one call. Throws as `get` does, `invalid-argument` for a row that there is not, and `aborted`.
   */
  selectRows?(
    names: readonly string[],
    rows: ArrayLike<number>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<readonly Tensor[] | undefined>;
}

/** The elementary form as it is produced: one entry at a time. A `Map` is one. */
export type ElementaryEntries = Iterable<[string, Elementary]> | AsyncIterable<[string, Elementary]>;

/** What an elementary value is, without its elements. */
export interface ElementaryInfo {
  readonly dtype: Dtype | 'string';
  readonly shape: readonly number[];
}
