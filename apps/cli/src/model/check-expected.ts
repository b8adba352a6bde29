import { createHash } from 'node:crypto';
import { type ElementaryStateDict, entriesOf, PruneError } from '@prune/core';
import { recompose } from '@prune/csr';
import { readJson } from './read-json.js';

/** What PyTorch's `quantize_dynamic` made of one Linear: a model folder's `expected-int8.json`. */
interface ExpectedMatrix {
  readonly shape: readonly number[];
  readonly scale: number;
  readonly zero_point: number;
  readonly nnz: number;
  /** Of the dense, row-major int8 codes. */
  readonly sha256: string;
}

/**
 * Holds every quantized Linear of a store against PyTorch's: shape, scale, zero point, nonzeros and the SHA-256 of its dense codes.
 * Gives the number of matrices; throws `mismatch` at the first that differs, `missing` when one side has a Linear that the other has not.
 */
export async function checkExpected(
  store: ElementaryStateDict,
  expectedPath: string,
  signal: AbortSignal,
): Promise<number> {
  const { quantize_dynamic: expected } = (await readJson(expectedPath, { signal })) as {
    quantize_dynamic: Record<string, ExpectedMatrix>;
  };
  const rest = new Set(Object.keys(expected));
  for await (const [name, value] of entriesOf(recompose(store))) {
    if (!('kind' in value) || value.kind !== 'linear') continue;
    if (!rest.delete(name))
      throw new PruneError('missing', { where: expectedPath, what: 'no such Linear', tensor: name });
    const { shape, intRepr } = value.weight;
    const found: ExpectedMatrix = {
      shape,
      scale: value.scales[0],
      // `recompose` refuses any other.
      zero_point: 0,
      nnz: intRepr.reduce((count, code) => count + (code === 0 ? 0 : 1), 0),
      sha256: createHash('sha256').update(intRepr).digest('hex'),
    };
    for (const [what, wanted] of Object.entries(expected[name])) {
      const got = String(found[what as keyof ExpectedMatrix]);
      if (got !== String(wanted)) {
        throw new PruneError('mismatch', { where: expectedPath, what, got, wanted: String(wanted), tensor: name });
      }
    }
  }
  for (const name of rest)
    throw new PruneError('missing', { where: expectedPath, what: 'not in the store', tensor: name });
  return Object.keys(expected).length;
}
