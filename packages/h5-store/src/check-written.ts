import { DEFAULT_LIMITS, type ElementaryInfo, PruneError } from '@prune/state-dict';
import type { H5Session } from './h5-session.js';
import { type ReadH5Options, readH5 } from './read-h5.js';

/**
 * Opens what was just written with HDF5's own reader and throws `corrupt` unless it has exactly the entries that were put, with their dtypes and
 * shapes: no file of ours gets its name before the library that others read it with has seen it.
 */
export async function checkWritten(
  session: H5Session,
  options: Omit<ReadH5Options, 'metadata' | 'limits'>,
  entries: ReadonlyMap<string, ElementaryInfo>,
): Promise<void> {
  const limits = { ...DEFAULT_LIMITS, tensors: Number.POSITIVE_INFINITY, rank: Number.POSITIVE_INFINITY };
  const store = await readH5(session, { ...options, metadata: {}, limits });
  try {
    for (const name of store.keys()) {
      const [found, put] = [describe(store.info(name)), describe(entries.get(name))];
      if (found !== put) {
        throw new PruneError('corrupt', {
          where: session.where,
          tensor: name,
          what: 'HDF5 reads something else',
          got: found,
          wanted: put,
        });
      }
    }
    const count = [...store.keys()].length;
    if (count !== entries.size) {
      throw new PruneError('corrupt', {
        where: session.where,
        what: 'HDF5 finds other entries',
        got: count,
        wanted: entries.size,
      });
    }
  } finally {
    await store.close();
  }
}

function describe(info: ElementaryInfo | undefined): string {
  return info === undefined ? 'nothing' : `${info.dtype} [${info.shape.join(', ')}]`;
}
