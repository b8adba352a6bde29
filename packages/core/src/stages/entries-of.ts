import { PruneError } from '../errors/prune-error.js';
import type { ReadableMap } from './stages.js';

/**
 * Every name with its value, in the order of `keys()`. A value is being read while the one before it is used, so that a file is waited for as little
 * as may be; two values at most are in memory. Throws `missing` for a name without a value, and what `get` throws, each in its turn.
 */
export async function* entriesOf<V>(map: ReadableMap<V>): AsyncGenerator<[string, V], void, undefined> {
  const names = map.keys()[Symbol.iterator]();
  let ahead = readNext(names, map);
  try {
    while (ahead !== undefined) {
      const { name, reading } = ahead;
      const value = await reading;
      if (value === undefined) throw new PruneError('missing', { what: 'listed, but there is no value', tensor: name });
      ahead = readNext(names, map);
      yield [name, value];
    }
  } finally {
    // Nothing is read any more once the caller has left.
    await ahead?.reading.catch(() => {});
  }
}

interface Reading<V> {
  readonly name: string;
  readonly reading: Promise<V | undefined>;
}

function readNext<V>(names: Iterator<string>, map: ReadableMap<V>): Reading<V> | undefined {
  const { done, value: name } = names.next();
  if (done) return undefined;
  const reading = (async () => map.get(name))();
  // Told when its turn comes; until then, and should it never come, it is no unhandled rejection.
  reading.catch(() => {});
  return { name, reading };
}
