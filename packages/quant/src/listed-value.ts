import { PruneError, type ReadableMap } from '@prune/core';

/** The value of a name that the map lists. Throws `missing` when there is none. */
export async function listedValue<V>(map: ReadableMap<V>, name: string): Promise<V> {
  const value = await map.get(name);
  if (value === undefined)
    throw new PruneError('missing', { where: 'quant', tensor: name, what: 'listed but not there' });
  return value;
}
