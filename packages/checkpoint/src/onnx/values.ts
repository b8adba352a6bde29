import type { OnnxNode, OnnxTensor } from './onnx-graph.js';

/**
 * What a value of the graph means. A forward pass (evaluate-graph.ts) gives each value one of these, from the operator
 * that computes it and what its inputs mean. Values that are the same are the same object, so that rules can compare
 * them by identity: `x - mean(x)` is part of a LayerNorm only if both are one `x`.
 */
export type Value = Constant | Numbers | Data | Unknown;

/** A dimension of a shape, `undefined` where only the inputs decide it. */
export type Dimension = number | undefined;

/** A value and its shape, as far as it is known. Reshaping changes the shape and leaves the value. */
export interface Entry {
  readonly value: Value;
  readonly shape?: readonly Dimension[];
}

/** A weight or another constant. */
export interface Constant {
  readonly kind: 'constant';
  readonly tensor: OnnxTensor;
  /** Whether the graph transposes it before it uses it. */
  readonly transposed: boolean;
  /** How its integers stand for real numbers, if the graph dequantizes it. */
  readonly quantizer?: Quantizer;
  /** The columns that are taken of a stored matrix that holds several side by side. */
  readonly columns?: readonly [begin: number, end: number];
  /** The elements, where there are few enough. They are real numbers: dequantized if there is a quantizer. */
  readonly numbers?: readonly number[];
}

/** `real = (code - zero point) * scale`. */
export interface Quantizer {
  readonly scale: OnnxTensor;
  readonly zeroPoint?: OnnxTensor;
  /** The axis of the stored tensor that the scales belong to, where there are several. */
  readonly axis: number;
}

/** Integers, masks and shapes: what is computed from the inputs without any weight. */
export interface Numbers {
  readonly kind: 'numbers';
  /** The graph's input, where the value is one and nothing more. */
  readonly input?: string;
  /** The elements of a short vector, each `undefined` where only the inputs decide it. */
  readonly elements?: readonly Dimension[];
  /** `counting` is 0, 1, 2, ... along the last axis. */
  readonly pattern?: 'zeros' | 'counting';
  /** Whether the attention mask decides it. */
  readonly masked: boolean;
  /** Whether a comparison of positions decides it, as in a causal mask. */
  readonly causal: boolean;
  /** Whether it counts tokens (CumSum), as RoBERTa's positions do. */
  readonly counted: boolean;
  /** The token id that the input ids are compared with: RoBERTa's padding. */
  readonly padding?: number;
  /** What is added to counted tokens. */
  readonly offset?: number;
}

/** An operator whose result no rule can tell. Whatever uses the value has the same meaning. */
export interface Unknown {
  readonly kind: 'unknown';
  readonly node: OnnxNode;
}

/** What is computed from weights. */
export type Data =
  | Lookup
  | Hidden
  | Transformed
  | Product
  | Linear
  | Activation
  | FirstToken
  | Pooled
  | Heads
  | Scores
  | Probabilities
  | Context
  | Attention
  | Residual
  | Logit
  | QuantizedActivation
  | IntegerProduct
  | ProductScale
  | Operation;

/** Rows of tables, added. */
export interface Lookup {
  readonly kind: 'lookup';
  readonly tables: readonly TableLookup[];
}

export interface TableLookup {
  readonly by: 'words' | 'positions' | 'types';
  readonly table: Constant;
  /** RoBERTa's padding id, where positions are counted from the ids, and what is added to what was counted. */
  readonly padding?: number;
  readonly offset?: number;
  readonly counted: boolean;
  readonly node: OnnxNode;
}

export interface Norm {
  readonly weight: Constant;
  readonly bias: Constant;
  readonly epsilon: number;
}

/** Hidden states after a LayerNorm of the encoder. */
export interface Hidden {
  readonly kind: 'hidden';
  readonly block: Embeddings | AttentionBlock | FeedForwardBlock;
  readonly norm: Norm;
}

export interface Embeddings {
  readonly kind: 'embeddings';
  readonly tables: readonly TableLookup[];
}

export interface AttentionBlock {
  readonly kind: 'attention-block';
  readonly input: Hidden;
  readonly attention: Attention;
  readonly output: Linear;
}

export interface FeedForwardBlock {
  readonly kind: 'feed-forward-block';
  readonly input: Hidden;
  readonly activation: Activation;
  readonly output: Linear;
}

/** The transform of a masked language model: dense, activation, LayerNorm. */
export interface Transformed {
  readonly kind: 'transformed';
  readonly activation: Activation;
  readonly norm: Norm;
}

/** `x` times a constant matrix `[in, out]`. */
export interface Product {
  readonly kind: 'product';
  readonly x: Value;
  readonly weight: Constant;
  readonly node: OnnxNode;
}

export interface Linear {
  readonly kind: 'linear';
  readonly x: Value;
  readonly weight: Constant;
  readonly bias: Constant;
  readonly node: OnnxNode;
}

export interface Activation {
  readonly kind: 'activation';
  readonly name: 'gelu' | 'gelu_new' | 'relu' | 'tanh';
  readonly x: Value;
  readonly node: OnnxNode;
}

/** The first token of each sequence. */
export interface FirstToken {
  readonly kind: 'first-token';
  readonly x: Value;
}

/** A sentence's embedding, or a step on the way: hidden states under the mask, summed, divided, normalized. */
export interface Pooled {
  readonly kind: 'pooled';
  readonly x: Hidden;
}

/** A Linear's output cut into heads: `[batch, tokens, heads, size]`, its axes permuted and its elements multiplied. */
export interface Heads {
  readonly kind: 'heads';
  readonly x: Linear;
  readonly heads: number;
  readonly size: number;
  /** Which axis of `[batch, tokens, heads, size]` each axis is, or 4 for batch and heads in one. */
  readonly axes: readonly number[];
  readonly factor: number;
}

/** Queries times keys. */
export interface Scores {
  readonly kind: 'scores';
  readonly query: Heads;
  readonly key: Heads;
  readonly factor: number;
  readonly masked: boolean;
}

export interface Probabilities {
  readonly kind: 'probabilities';
  readonly scores: Scores;
}

/** Probabilities times values: `[batch, heads, tokens, size]`, its axes permuted. */
export interface Context {
  readonly kind: 'context';
  readonly scores: Scores;
  readonly value: Heads;
  /** Which axis of `[batch, tokens, heads, size]` each axis is. */
  readonly axes: readonly number[];
}

/** The heads side by side again. */
export interface Attention {
  readonly kind: 'attention';
  readonly query: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly heads: number;
  readonly size: number;
}

/** A Linear's output added to hidden states. */
export interface Residual {
  readonly kind: 'residual';
  readonly branch: Linear;
  readonly input: Hidden;
}

/** One column of a Linear's output. */
export interface Logit {
  readonly kind: 'logit';
  readonly x: Linear;
  readonly column: number;
}

/** An output of DynamicQuantizeLinear, or of QuantizeLinear with a constant scale. */
export interface QuantizedActivation {
  readonly kind: 'quantized-activation';
  readonly part: 'codes' | 'scale' | 'zero-point' | 'static-codes';
  readonly x: Value;
}

/** Codes of an activation times codes of a weight. */
export interface IntegerProduct {
  readonly kind: 'integer-product';
  readonly x: Value;
  readonly weight: Constant;
  readonly zeroPoint: OnnxTensor | undefined;
  readonly node: OnnxNode;
}

/** The scale of an activation times the scales of a weight. */
export interface ProductScale {
  readonly kind: 'product-scale';
  readonly x: Value;
  readonly scale: OnnxTensor;
}

/** A step of something larger, which a rule recognises when its last step comes: a LayerNorm, a GELU. */
export interface Operation {
  readonly kind: 'operation';
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly node: OnnxNode;
}
