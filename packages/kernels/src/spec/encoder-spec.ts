import type { CsrMatrix, CsrRows, DenseInt8Matrix, QuantizationProfile, QuantizedLinear } from '@prune/core';

/** A Linear of an unquantized checkpoint: float32 `weight` `[rows, columns]`, row-major. */
export interface FloatLinear {
  readonly kind: 'float';
  readonly weight: Float32Array;
  readonly shape: readonly [rows: number, columns: number];
  /** `[rows]`, or `null` for a Linear without one. */
  readonly bias: Float32Array | null;
}

/** A Linear: quantized, its weight sparse or dense (the results are the same bits), or float. */
export type AnyLinear = QuantizedLinear<CsrMatrix | DenseInt8Matrix> | FloatLinear;

/** A Linear of a layer: its weight may also be a stored matrix, which the engine reads row by row; no arrays are made of it. */
export type LayerLinear = QuantizedLinear<CsrMatrix | CsrRows | DenseInt8Matrix> | FloatLinear;

/** LayerNorm's parameters, float32 `[hiddenSize]` each. */
export interface LayerNormParameters {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** The activation between the two Linears of a layer: `gelu` with erf, `gelu_new` with tanh, `relu`. */
export type Activation = 'gelu' | 'gelu_new' | 'relu';

/** How scores and contexts are computed: in float32, or quantized to 16 bits and summed in int32. */
export type AttentionMode = 'float32' | 'int16';

/** One layer's modules, in the order of the computation. */
export interface EncoderLayer<L extends LayerLinear = LayerLinear> {
  readonly query: L;
  readonly key: L;
  readonly value: L;
  readonly attentionOutput: L;
  readonly attentionNorm: LayerNormParameters;
  readonly intermediate: L;
  readonly output: L;
  readonly outputNorm: LayerNormParameters;
}

/**
 * The layers of an encoder and how they compute. Hidden and intermediate sizes are those of the matrices. A layer from
 * which heads or neurons were pruned has smaller matrices than the others.
 */
export interface EncoderSpec {
  /** Taken one by one, so that an encoder can be loaded from a store without holding all of it twice. */
  readonly layers: Iterable<EncoderLayer> | AsyncIterable<EncoderLayer>;
  /** Heads of a layer that none were pruned from: `hidden size / heads` are the features of a head, in every layer. */
  readonly heads: number;
  /** A LayerNorm that the input passes first, as that of BERT's embeddings. Default: none. */
  readonly inputNorm?: LayerNormParameters;
  readonly activation: Activation;
  readonly layerNormEps: number;
  /** How the quantized Linears compute; of no effect for float ones. */
  readonly profile: QuantizationProfile;
  /** One activation scale a token instead of one a tensor. Default: false, PyTorch's way. */
  readonly rowwise?: boolean;
  /** Default: `float32`. */
  readonly attention?: AttentionMode;
}
