import { checkLimit, PruneError, type RandomAccess } from '@prune/core';
import { Inflate } from 'fflate';
import { type ZipEntry, zipDataOffset } from './zip-directory.js';

/** What is inflated at once: at DEFLATE's ratio one push makes at most 17 MB. */
const CHUNK_BYTES = 1 << 14;

/** The bytes `[offset, offset + length)` of a file in a zip archive. A deflated one may inflate to `maxBytes`. */
export async function readZipEntry(
  source: RandomAccess,
  entry: ZipEntry,
  offset: number,
  length: number,
  maxBytes: number,
): Promise<Uint8Array> {
  if (!(offset + length <= entry.bytes)) {
    throw new PruneError('truncated', {
      what: `"${entry.name}" in the zip archive is too short (bytes)`,
      got: entry.bytes,
      wanted: offset + length,
    });
  }
  if (entry.method === 'stored') return source.read((await zipDataOffset(source, entry)) + offset, length);
  return inflate(source, entry, offset, offset + length, maxBytes);
}

async function inflate(
  source: RandomAccess,
  entry: ZipEntry,
  begin: number,
  end: number,
  maxBytes: number,
): Promise<Uint8Array> {
  const { name, bytes, packedBytes } = entry;
  checkLimit(`"${name}" in the zip archive is too large (bytes)`, bytes, maxBytes);
  const start = await zipDataOffset(source, entry);
  const out = new Uint8Array(end - begin);
  let length = 0;
  const inflater = new Inflate((chunk) => {
    if (length + chunk.length > bytes) throw corrupt(name, 'inflates to more than it declares (bytes)', bytes);
    const from = Math.max(begin - length, 0);
    const to = Math.min(end - length, chunk.length);
    if (from < to) out.set(chunk.subarray(from, to), length + from - begin);
    length += chunk.length;
  });
  for (let done = 0; done < packedBytes; ) {
    const chunk = await source.read(start + done, Math.min(CHUNK_BYTES, packedBytes - done));
    done += chunk.length;
    try {
      inflater.push(chunk, done === packedBytes);
    } catch (cause) {
      if (cause instanceof PruneError) throw cause;
      throw new PruneError('corrupt', { what: `"${name}" in the zip archive does not inflate`, cause });
    }
  }
  if (length !== bytes) throw corrupt(name, `inflates to ${length} bytes, declares`, bytes);
  return out;
}

function corrupt(name: string, what: string, got: number): PruneError {
  return new PruneError('corrupt', { what: `"${name}" in the zip archive ${what}`, got });
}
