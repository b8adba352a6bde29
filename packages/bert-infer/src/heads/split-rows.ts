import type { CsrMatrix, DenseInt8Matrix, QuantizedLinear } from '@prune/core';
import type { AnyLinear, FloatLinear } from '@prune/kernels';

/**
 * A Linear as several of at most `count` rows each, over the same memory but for a CSR matrix's row pointers. What they
 * give, one after the other, is what the whole gives, bit for bit: each row of a result depends on its own row alone.
 */
export function* splitRows(linear: AnyLinear, count: number): Generator<AnyLinear> {
  const rows = linear.kind === 'float' ? linear.shape[0] : linear.weight.shape[0];
  for (let first = 0; first < rows; first += count) {
    const end = Math.min(first + count, rows);
    yield linear.kind === 'float' ? floatRows(linear, first, end) : quantizedRows(linear, first, end);
  }
}

function floatRows({ kind, weight, shape: [, columns], bias }: FloatLinear, first: number, end: number): FloatLinear {
  return {
    kind,
    weight: weight.subarray(first * columns, end * columns),
    shape: [end - first, columns],
    bias: bias?.subarray(first, end) ?? null,
  };
}

function quantizedRows(
  linear: QuantizedLinear<CsrMatrix | DenseInt8Matrix>,
  first: number,
  end: number,
): QuantizedLinear<CsrMatrix | DenseInt8Matrix> {
  const { weight, bias, scales, qscheme } = linear;
  const [, columns] = weight.shape;
  const shape = [end - first, columns] as const;
  const part =
    'intRepr' in weight
      ? { shape, intRepr: weight.intRepr.subarray(first * columns, end * columns) }
      : csrRows(weight, first, end);
  return {
    ...linear,
    scales: qscheme === 'per_tensor_affine' ? scales : scales.subarray(first, end),
    weight: part,
    bias: bias && { ...bias, shape: [end - first], data: bias.data.subarray(first, end) },
  };
}

function csrRows({ shape: [, columns], indptr, indices, data }: CsrMatrix, first: number, end: number): CsrMatrix {
  const [from, to] = [indptr[first], indptr[end]];
  return {
    shape: [end - first, columns],
    indptr: indptr.slice(first, end + 1).map((place) => place - from),
    indices: indices.subarray(from, to),
    data: data.subarray(from, to),
  };
}
