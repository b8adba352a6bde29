/** PyTorch's own names after `X._packed_params.`. */
export const PACKED = {
  pair: '_packed_params',
  table: '_packed_weight',
  weight: 'weight',
  bias: 'bias',
  dtype: 'dtype',
} as const;
