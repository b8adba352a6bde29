import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ByteSink } from '../byte-sources/byte-source.js';
import { PruneError } from '../errors/prune-error.js';

/** Small writes are gathered up to this: asking the system for each costs more than compressing most tensors. */
const GATHERED_BYTES = 1 << 18;

/**
 * A file that appears under `path` only when whole: written under a temporary name in the same folder, synced, then renamed.
 * A failure at any point leaves the old file as it was and removes the temporary one. Throws `io` with the path.
 * What was written so far is in the temporary file once a `writeAt` is done.
 */
export async function atomicFile(path: string): Promise<ByteSink & { readonly temporaryPath: string }> {
  const temporaryPath = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  let handle: FileHandle | undefined = await open(temporaryPath, 'wx').catch(fail);
  const gathered = new Uint8Array(GATHERED_BYTES);
  let gatheredBytes = 0;
  let length = 0;

  function fail(error: unknown): never {
    throw new PruneError('io', {
      where: path,
      // Without Node's `, open '...'`: the temporary name says nothing to anyone.
      what: (error instanceof Error ? error.message : String(error)).replace(/, \w+ '.*'( -> '.*')?$/s, ''),
      cause: error,
    });
  }
  async function writeNow(position: number, bytes: Uint8Array) {
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await handle!.write(bytes, done, bytes.byteLength - done, position + done).catch(fail);
      done += bytesWritten;
    }
  }
  async function flush() {
    const bytes = gathered.subarray(0, gatheredBytes);
    gatheredBytes = 0;
    await writeNow(length - bytes.byteLength, bytes);
  }
  async function close() {
    const open = handle;
    handle = undefined;
    await open?.close();
  }
  return {
    temporaryPath,
    async write(bytes) {
      if (gatheredBytes + bytes.byteLength > GATHERED_BYTES) await flush();
      if (bytes.byteLength > GATHERED_BYTES) await writeNow(length, bytes);
      else {
        gathered.set(bytes, gatheredBytes);
        gatheredBytes += bytes.byteLength;
      }
      length += bytes.byteLength;
    },
    async writeAt(position, bytes) {
      await flush();
      await writeNow(position, bytes);
    },
    async commit() {
      await flush();
      await handle?.sync().catch(fail);
      await close().catch(fail);
      await rename(temporaryPath, path).catch(fail);
    },
    async abort() {
      await close().catch(() => {});
      await rm(temporaryPath, { force: true });
    },
  };
}
