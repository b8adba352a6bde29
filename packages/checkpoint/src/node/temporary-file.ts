import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RandomAccess, readEachRange } from '@prune/core';
import { readRange } from '@prune/core/node';

/** A file that no one else sees, gone when it is closed or the process ends, however it ends. */
export interface TemporaryFile extends Required<RandomAccess> {
  append(bytes: Uint8Array): Promise<void>;
}

/** Makes one in `folder`, readable by this user alone. Its name is removed at once; where the system refuses that, on close. */
export async function temporaryFile(name: string, folder = tmpdir()): Promise<TemporaryFile> {
  const path = join(folder, `prune-${randomBytes(8).toString('hex')}.tmp`);
  const handle = await open(path, 'wx+', 0o600);
  const unlinked = await rm(path).then(
    () => true,
    () => false,
  );
  let size = 0;
  const ranged = {
    read: (offset: number, length: number, scratch?: Uint8Array) => readRange(handle, offset, length, scratch),
  };
  return {
    name,
    get size() {
      return size;
    },
    async append(bytes) {
      for (let done = 0; done < bytes.byteLength; ) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, size);
        done += bytesWritten;
        size += bytesWritten;
      }
    },
    ...ranged,
    readRanges: (ranges, signal) => readEachRange(ranged, ranges, signal),
    async close() {
      await handle.close();
      if (!unlinked) await rm(path, { force: true });
    },
  };
}
