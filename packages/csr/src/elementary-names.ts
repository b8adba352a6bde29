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

/** What the arrays of a Linear's weight have in common. */
export const WEIGHT_MATRIX = 'weight.int_repr';

/** The parts of a quantized Embedding `X`, after `X._packed_params.`; `dtype` as for a Linear. */
export const EMBEDDING_PARTS = {
  dtype: 'dtype',
  scale: '_packed_weight.scale',
  zeroPoint: '_packed_weight.zero_point',
  intRepr: '_packed_weight.int_repr',
  shape: '_packed_weight.int_repr.shape',
} as const;

/** The string that stands for the dtype of a module's codes, as h5py writes it. */
export const CODE_DTYPES = { linear: 'qint8', 8: 'quint8', 4: 'quint4x2' } as const;

const PACKED = '._packed_params.';

/** The full name of a part of module `module`. */
export function partName(module: string, part: string): string {
  return `${module}${PACKED}${part}`;
}

/** Splits `X._packed_params.part`; `undefined` for every other name. Not by substring: the part is whatever follows, to be matched whole. */
export function splitPartName(name: string): { readonly module: string; readonly part: string } | undefined {
  const at = name.lastIndexOf(PACKED);
  return at <= 0 ? undefined : { module: name.slice(0, at), part: name.slice(at + PACKED.length) };
}
