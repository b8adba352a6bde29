import { PruneError } from './errors.js';
import type { ReadableMap } from './stages.js';

/** Every name with its value, read one at a time in the order of `keys()`. Throws `missing` for a name without a value. */
export async function* entriesOf<V>(map: ReadableMap<V>): AsyncGenerator<[string, V]> {
  for (const name of map.keys()) {
    const value = await map.get(name);
    if (value === undefined) throw new PruneError('missing', { what: 'listed, but there is no value', tensor: name });
    yield [name, value];
  }
}
