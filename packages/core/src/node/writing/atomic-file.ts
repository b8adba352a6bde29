import { constants, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ByteSink } from '../../byte-sources/byte-source.js';
import { gatheredWrites } from './gathered-writes.js';
import { outputTarget, streamError } from './output-target.js';
import { publishFile } from './publish-file.js';
import { removeLeftFiles } from './remove-left-files.js';
import { stagedFile } from './staged-file.js';
import { syncFolder } from './sync-folder.js';
import { writingError } from './writing-error.js';

/** Options of {@link atomicFile}. */
export interface AtomicFileOptions {
  /** Whether a file that is there may be replaced. Default true: whoever must ask has asked (see `refuseExisting`). */
  readonly replace?: boolean;
  /** Whether a pipe or a device will do. Default true; false for what is not written front to back. */
  readonly stream?: boolean;
}

/**
 * A file that appears under `path` only when whole: written under a temporary name in the same folder, synced, then
 * renamed, and the folder synced. A failure at any point leaves the old file as it was and removes the temporary one;
 * what killed processes left in the folder is removed too. A symbolic link stays a link, and the file that it leads to
 * is replaced. A replaced file keeps its mode.
 *
 * A pipe or a character device is written to as it is: there is nothing to replace and no way back, so `writeAt` is
 * refused with `invalid-argument`. Throws `io` with the path, also for a folder, a socket and a block device.
 */
export async function atomicFile(
  path: string,
  { replace = true, stream = true }: AtomicFileOptions = {},
): Promise<ByteSink> {
  const target = await outputTarget(path);
  if (target.kind === 'stream') {
    if (!stream) throw streamError(path);
    return streamSink(path);
  }
  await removeLeftFiles(dirname(target.path));
  const file = await stagedFile(target, path);
  return {
    write: file.write,
    writeAt: file.writeAt,
    async commit() {
      await file.settle();
      await publishFile(file, replace, path);
      await syncFolder(dirname(file.path)).catch((error) => {
        throw writingError(path, error);
      });
    },
    abort: file.discard,
  };
}

async function streamSink(path: string): Promise<ByteSink> {
  const fail = (error: unknown): never => {
    throw writingError(path, error);
  };
  // Without O_CREAT: a pipe that has gone in the meantime does not become a file. Opening waits for the pipe's reader.
  const handle = await open(path, constants.O_WRONLY).catch(fail);
  const writes = gatheredWrites(async (_position, bytes) => {
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, null).catch(fail);
      done += bytesWritten;
    }
  });
  let opened = true;
  async function close() {
    if (opened) await handle.close();
    opened = false;
  }
  return {
    write: writes.write,
    async writeAt() {
      throw streamError(path);
    },
    async commit() {
      await writes.flush();
      await close().catch(fail);
    },
    abort: () => close().catch(() => {}),
  };
}
