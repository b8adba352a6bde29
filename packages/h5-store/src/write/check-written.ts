import {
  DEFAULT_LIMITS,
  type Elementary,
  type ElementaryInfo,
  locateError,
  PruneError,
  tensorBytes,
} from '@prune/core';
import { lookup3 } from '../format/lookup3.js';
import type { FileBytes } from '../read/file-bytes.js';
import { fileIndex } from '../read/file-index.js';
import { budgetedFile } from '../read/read-budget.js';
import { type Reading, readValue } from '../read/read-values.js';

/** What was put under a name, as far as it takes to know it again. */
export interface PutEntry extends ElementaryInfo {
  /** lookup3 of the bytes, of a string in UTF-8. */
  readonly checksum: number;
}

/** A value as it is remembered for {@link checkWritten}. */
export function putEntry(value: Elementary): PutEntry {
  if (typeof value === 'string') {
    return { dtype: 'string', shape: [], checksum: lookup3(new TextEncoder().encode(value)) };
  }
  return { dtype: value.dtype, shape: [...value.shape], checksum: lookup3(tensorBytes(value)) };
}

/**
 * Reads what was just written and throws `corrupt` unless it has exactly the entries that were put, every element of them: no file of ours gets its
 * name before. A mistake that the writer and the reader share would not be seen here; that HDF5 reads such files is for the tests.
 */
export async function checkWritten(
  file: FileBytes,
  { where, ...inflates }: Omit<Reading, 'file' | 'place'> & { readonly where: string },
  entries: ReadonlyMap<string, PutEntry>,
): Promise<void> {
  const none = Number.POSITIVE_INFINITY;
  const limits = { ...DEFAULT_LIMITS, tensors: none, rank: none, nameLength: none };
  const index = fileIndex(budgetedFile(file, limits), where);
  if (index === undefined) throw new PruneError('corrupt', { where, what: 'what was written cannot be read' });
  if (index.size !== entries.size) {
    throw new PruneError('corrupt', {
      where,
      what: 'number of entries read back',
      got: index.size,
      wanted: entries.size,
    });
  }
  for (const [name, put] of entries) {
    const place = { where, tensor: name };
    const found = index.get(name);
    try {
      const read = found && putEntry(await readValue(found, { file, ...inflates, place }, limits));
      const [got, wanted] = [describe(read), describe(put)];
      if (got !== wanted) throw new PruneError('corrupt', { what: 'reads back as something else', got, wanted });
    } catch (error) {
      throw locateError(error, place);
    }
  }
}

function describe(entry: PutEntry | undefined): string {
  if (entry === undefined) return 'nothing';
  return `${entry.dtype} [${entry.shape.join(', ')}], checksum ${entry.checksum.toString(16)}`;
}
