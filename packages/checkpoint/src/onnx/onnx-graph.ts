import type { Dtype, TensorInfo } from '@prune/core';

/** A tensor of an ONNX file, without its elements. */
export interface OnnxTensor extends TensorInfo {
  /** The initializer's name, or that of the Constant node which holds it. */
  readonly name: string;
  readonly data: OnnxData;
}

/** Where a tensor's elements are. */
export type OnnxData =
  /** Little-endian elements in the file itself. */
  | { readonly kind: 'bytes'; readonly begin: number; readonly end: number }
  /** Protobuf integers in the file itself: `int32_data` and `int64_data`. */
  | { readonly kind: 'varints'; readonly begin: number; readonly end: number }
  /** Little-endian elements in another file of the same folder. */
  | { readonly kind: 'external'; readonly file: string; readonly offset: number; readonly length: number | undefined }
  /** A number that an attribute of a Constant node gives (`value_float`, `value_ints`). */
  | { readonly kind: 'numbers'; readonly numbers: readonly number[] };

/** The value of an attribute; an attribute of another type (a graph, a sparse tensor) has `kind` 'other'. */
export type OnnxAttribute =
  | { readonly kind: 'float'; readonly float: number }
  | { readonly kind: 'integer'; readonly integer: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'integers'; readonly integers: readonly number[] }
  | { readonly kind: 'floats'; readonly floats: readonly number[] }
  | { readonly kind: 'tensor'; readonly tensor: OnnxTensor }
  | { readonly kind: 'other' };

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  /** Empty for ONNX's own operators; `com.microsoft` for those of onnxruntime. */
  readonly domain: string;
  /** Names of values; an empty name is an input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, OnnxAttribute>;
}

export interface OnnxGraph {
  /** The version of ONNX's own operators. */
  readonly opset: number;
  /** In an order in which every value is computed before it is used. */
  readonly nodes: readonly OnnxNode[];
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/** ONNX's numbers for the element types that a tensor may have here. Source: onnx.proto, TensorProto.DataType. */
export const ONNX_DTYPES: ReadonlyMap<number, Dtype> = new Map<number, Dtype>([
  [1, 'float32'],
  [2, 'uint8'],
  [3, 'int8'],
  [4, 'uint16'],
  [5, 'int16'],
  [6, 'int32'],
  [7, 'int64'],
  [9, 'bool'],
  [10, 'float16'],
  [11, 'float64'],
  [12, 'uint32'],
  [16, 'bfloat16'],
]);
