import { type CsrMatrix, csrFault, type DenseInt8Matrix, PruneError } from '@prune/core';
import type { LayerLinear } from './encoder-spec.js';

/** What messages call the thing at fault. */
export interface Place {
  readonly tensor: string;
}

/**
 * The bound on rows and columns of a matrix: past it a sum of 65,536 products of an int8 weight and an uint8 activation could leave int32,
 * and row offsets their 32 bits. BERT-large's widest matrix has 4,096 columns; vocabularies of 250,000 rows exist.
 */
const MATRIX_LIMITS = { rows: 2 ** 20, columns: 2 ** 16 } as const;

/**
 * Checks that a Linear is `[rows, columns]` and that everything that it says of itself is true, so that packing it
 * cannot read or write out of bounds. Either number may be left open, and may not be 0 then. A weight that hands out
 * rows is checked while it is packed. Gives its shape. Throws `mismatch`, `corrupt`, `limit`, `not-finite`.
 */
export function checkLinear(
  module: LayerLinear,
  rows: number | undefined,
  columns: number | undefined,
  place: Place,
): readonly [rows: number, columns: number] {
  const shape = module.kind === 'linear' ? module.weight.shape : module.shape;
  const [r, c] = shape;
  const whole = shape.length === 2 && Number.isSafeInteger(r) && Number.isSafeInteger(c) && r >= 0 && c >= 0;
  const empty = (r === 0 && rows !== 0) || (c === 0 && columns !== 0);
  if (!whole || empty || (rows ?? r) !== r || (columns ?? c) !== c) {
    fail(
      'mismatch',
      place,
      'matrix has the wrong shape',
      `[${shape.join(', ')}]`,
      `[${rows ?? 'any'}, ${columns ?? 'any'}]`,
    );
  }
  if (r > MATRIX_LIMITS.rows || c > MATRIX_LIMITS.columns) {
    fail(
      'limit',
      place,
      'matrix is too large',
      `[${r}, ${c}]`,
      `at most [${MATRIX_LIMITS.rows}, ${MATRIX_LIMITS.columns}]`,
    );
  }
  const bias = module.kind === 'linear' ? (module.bias?.data ?? null) : module.bias;
  if (bias !== null) checkFloats('bias', bias, r, place);
  if (module.kind === 'float') {
    checkFloats('weight', module.weight, r * c, place);
    return shape;
  }
  const { scales, weight } = module;
  if (!(scales instanceof Float64Array) || (scales.length !== 1 && scales.length !== r)) {
    fail('mismatch', place, 'scales do not fit the matrix', `${scales.length}`, `1 or ${r}`);
  }
  for (const scale of scales) {
    if (!(Math.fround(scale) > 0 && Number.isFinite(Math.fround(scale)))) {
      fail('not-finite', place, 'weight scale', scale, 'a positive float32');
    }
  }
  if ('intRepr' in weight) checkDense(weight, place);
  else if (!('forEachRow' in weight)) checkCsr(weight, place);
  return shape;
}

/** Checks that `values` is float32, `length` long and finite. Throws `mismatch`, `not-finite`. */
export function checkFloats(what: string, values: Float32Array, length: number, place: Place): void {
  if (!(values instanceof Float32Array) || values.length !== length) {
    fail('mismatch', place, `${what} does not fit`, `${values?.length} elements`, `${length} float32`);
  }
  for (let i = 0; i < length; i++) {
    if (!Number.isFinite(values[i])) fail('not-finite', place, `${what}[${i}]`, values[i], 'a finite number');
  }
}

function checkDense({ shape, intRepr }: DenseInt8Matrix, place: Place) {
  if (!(intRepr instanceof Int8Array) || intRepr.length !== shape[0] * shape[1]) {
    fail('mismatch', place, 'intRepr does not fit its shape', intRepr?.length, shape[0] * shape[1]);
  }
}

/** Products of 0 change no sum, and both dtypes of indices hold every column that `MATRIX_LIMITS` allows. */
function checkCsr(weight: CsrMatrix, place: Place) {
  const fault = csrFault(weight, { storedZeros: true, anyIndices: true });
  if (fault !== undefined) {
    fail(fault.kind === 'form' ? 'mismatch' : 'corrupt', place, fault.what, fault.got, fault.wanted);
  }
}

function fail(
  code: 'mismatch' | 'corrupt' | 'limit' | 'not-finite',
  { tensor }: Place,
  what: string,
  got: string | number | undefined,
  wanted: string | number,
): never {
  throw new PruneError(code, { where: 'kernels', tensor, what, got, wanted });
}
