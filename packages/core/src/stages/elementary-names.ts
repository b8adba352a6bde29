// The names of the notebook's elementary form, which `decompose` of @prune/csr describes.
import type { Dtype } from '../tensors/tensor.js';

/** The arrays of a CSR matrix `X`, after `X.`. */
export const CSR_ARRAYS = ['data', 'indices', 'indptr'] as const;

export type CsrArray = (typeof CSR_ARRAYS)[number];

/** The dtypes that each array of a CSR matrix may be stored in. */
export const CSR_ARRAY_DTYPES = {
  data: ['int8'],
  indices: ['uint16', 'int32'],
  indptr: ['int32'],
} as const satisfies Record<CsrArray, readonly Dtype[]>;

/** How the name of a matrix of integer codes ends. */
export const INT_REPR = '.int_repr';

/** The matrix of a quantized Linear `X`, after `X._packed_params.`: what the names of its arrays have in common. */
export const WEIGHT_MATRIX = 'weight.int_repr';

/** The parts of a quantized Linear `X`, after `X._packed_params.`. */
export const LINEAR_PARTS = {
  dtype: 'dtype',
  scale: 'weight.scale',
  zeroPoint: 'weight.zero_point',
  data: 'weight.int_repr.data',
  indptr: 'weight.int_repr.indptr',
  indices: 'weight.int_repr.indices',
  shape: 'weight.int_repr.shape',
  bias: 'bias',
} as const;

/** The parts of a quantized Embedding `X`, after `X._packed_params.`; `dtype` as for a Linear. */
export const EMBEDDING_PARTS = {
  dtype: 'dtype',
  scale: '_packed_weight.scale',
  zeroPoint: '_packed_weight.zero_point',
  intRepr: '_packed_weight.int_repr',
  shape: '_packed_weight.int_repr.shape',
} as const;

const PACKED_PARAMS = '._packed_params';

/** The submodule in which PyTorch keeps the packed parameters of `module`. */
export function packedParamsName(module: string): string {
  return `${module}${PACKED_PARAMS}`;
}

/** The full name of a part of `module`. */
export function partName(module: string, part: string): string {
  return `${module}${PACKED_PARAMS}.${part}`;
}

/**
 * Splits `X._packed_params.part`; `undefined` for every other name. The caller matches the part, which may be anything.
 */
export function splitPartName(name: string): { readonly module: string; readonly part: string } | undefined {
  const at = name.lastIndexOf(`${PACKED_PARAMS}.`);
  return at <= 0 ? undefined : { module: name.slice(0, at), part: name.slice(at + PACKED_PARAMS.length + 1) };
}

/**
 * The full names of a quantized Linear's parts, and of its output's scale and zero point, which a dynamic one leaves
 * unused.
 */
export function linearNames(
  module: string,
): Readonly<Record<keyof typeof LINEAR_PARTS | 'outputScale' | 'outputZeroPoint', string>> {
  return {
    ...fullNames(module, LINEAR_PARTS),
    outputScale: `${module}.scale`,
    outputZeroPoint: `${module}.zero_point`,
  };
}

/**
 * `X` for `X.scale` and `X.zero_point`, which belong to its output if `X` is a quantized Linear; otherwise `undefined`.
 */
export function outputModuleOf(name: string): string | undefined {
  return /^(.+)\.(?:scale|zero_point)$/s.exec(name)?.[1];
}

/** The full names of a quantized Embedding's parts. */
export function embeddingNames(module: string): Readonly<Record<keyof typeof EMBEDDING_PARTS, string>> {
  return fullNames(module, EMBEDDING_PARTS);
}

/** Whether a name is that of a shape: the numbers of rows and columns of a matrix of codes. */
export function isShapeName(name: string): boolean {
  return name.endsWith(`${INT_REPR}.shape`);
}

/** The full names of the arrays of a CSR matrix. */
export function csrArrayNames(matrix: string): Readonly<Record<CsrArray, string>> {
  return { data: `${matrix}.data`, indices: `${matrix}.indices`, indptr: `${matrix}.indptr` };
}

/** Splits `X.data`, `X.indices` and `X.indptr`, whatever `X` is; `undefined` for every other name. */
export function csrArrayOf(name: string): { readonly matrix: string; readonly array: CsrArray } | undefined {
  const dot = name.lastIndexOf('.');
  const array = CSR_ARRAYS.find((known) => known === name.slice(dot + 1));
  return dot === -1 || array === undefined ? undefined : { matrix: name.slice(0, dot), array };
}

/** Which array of a quantized Linear's codes a name stands for; `undefined` for every other name. */
export function intReprArrayOf(name: string): CsrArray | undefined {
  const found = csrArrayOf(name);
  return found?.matrix.endsWith(INT_REPR) ? found.array : undefined;
}

function fullNames<K extends string>(module: string, parts: Readonly<Record<K, string>>): Record<K, string> {
  const entries = Object.entries<string>(parts).map(([key, part]) => [key, partName(module, part)]);
  return Object.fromEntries(entries) as Record<K, string>;
}
