import { type ElementaryStateDict, entriesOf } from '@prune/core';
import { maskBounds, recomposeSparse, valueEntropy } from '@prune/csr';
import type { Scope } from '../sides/scope.js';
import type { SizeBounds } from './size-row.js';

/** The bounds of a model's matrices, and the bytes of its floats. */
export async function sizeBounds(model: string, scope: Scope, elementary: ElementaryStateDict): Promise<SizeBounds> {
  const sums = { nonzeros: 0, elements: 0, independent: 0, rowGaps: 0, rowsAndColumns: 0, values: 0, floats: 0 };
  for await (const [, value] of entriesOf(recomposeSparse(elementary))) {
    if (!('kind' in value)) sums.floats += value.data.byteLength;
    else if (value.kind === 'embedding') sums.floats += value.intRepr.byteLength;
    else {
      const { weight, bias } = value;
      const mask = maskBounds(weight);
      sums.nonzeros += weight.data.length;
      sums.elements += weight.shape[0] * weight.shape[1];
      sums.independent += mask.independent / 8;
      sums.rowGaps += mask.rowGaps / 8;
      sums.rowsAndColumns += mask.rowsAndColumns / 8;
      sums.values += valueEntropy(weight.data) / 8;
      sums.floats += bias?.data.byteLength ?? 0;
    }
  }
  const { nonzeros, elements, independent, rowGaps, rowsAndColumns, values, floats } = sums;
  return { model, scope, nonzeros, elements, mask: { independent, rowGaps, rowsAndColumns }, values, floats };
}
