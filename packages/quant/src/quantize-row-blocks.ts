import { PruneError, type Tensor, toFloat32 } from '@prune/core';
import {
  DEFAULT_PROFILE,
  largestMagnitude,
  matrixShape,
  type QuantizedWeight,
  type QuantizeWeightOptions,
  quantizeValues,
  refuseNotFinite,
  SCALE_OF_NOTHING,
} from './quantize-weight.js';

/** Options of {@link quantizeRowBlocks}. */
export type QuantizeRowBlocksOptions = Omit<QuantizeWeightOptions, 'perChannel'>;

/**
 * What `quantizeWeight` gives for a matrix with one scale, for a matrix whose rows come in blocks `[rows, columns]`:
 * the codes of each block, so that neither the matrix nor its codes are ever in memory as a whole. `blocks` is called
 * twice, for the range of the whole matrix and then for its codes, and may pause between blocks. Throws as
 * `quantizeWeight` does, `mismatch` if the second reading gives other values, and what `blocks` throws.
 */
export async function* quantizeRowBlocks(
  blocks: () => AsyncIterable<Tensor> | Iterable<Tensor>,
  { profile = DEFAULT_PROFILE, name }: QuantizeRowBlocksOptions = {},
): AsyncGenerator<QuantizedWeight> {
  const valuesOf = (block: Tensor) => toFloat32(block, { where: 'quant', tensor: name }).data;
  let amax = 0;
  let elements = 0;
  for await (const block of blocks()) {
    matrixShape(block, name);
    const values = valuesOf(block);
    const largest = largestMagnitude(values);
    if (!(largest < Number.POSITIVE_INFINITY)) {
      const at = values.findIndex((value) => !Number.isFinite(value));
      refuseNotFinite(elements + at, values[at], name);
    }
    amax = Math.max(amax, largest);
    elements += values.length;
  }
  let again = 0;
  for await (const block of blocks()) {
    const shape = matrixShape(block, name);
    const values = valuesOf(block);
    again += values.length;
    // A code of a value outside the range would wrap around.
    if (!(largestMagnitude(values) <= amax)) throw changed(name);
    const intRepr = new Int8Array(values.length);
    const scale = elements === 0 ? SCALE_OF_NOTHING : quantizeValues(profile, values, amax, intRepr);
    yield { weight: { shape, intRepr }, qscheme: 'per_tensor_affine', scales: Float64Array.of(scale) };
  }
  if (again !== elements) throw changed(name);
}

function changed(name: string | undefined): PruneError {
  return new PruneError('mismatch', { where: 'quant', tensor: name, what: 'the rows changed between two readings' });
}
