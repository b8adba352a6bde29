import { firstDifference, PruneError } from '@prune/core';
import { openStore } from '@prune/model-files/node';

/** Throws `mismatch` unless two stored models are equal: the same names, dtypes, shapes and bits. No figure is worth anything before this holds. */
export async function proveEqual(a: string, b: string): Promise<void> {
  const [first, second] = [await openStore(a), await openStore(b)];
  try {
    const difference = await firstDifference(first, second);
    if (difference !== undefined) {
      throw new PruneError('mismatch', { where: `${a}, ${b}`, what: difference.what, tensor: difference.name });
    }
  } finally {
    await first.close();
    await second.close();
  }
}
