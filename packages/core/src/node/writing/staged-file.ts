import { type FileHandle, open, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ByteSink } from '../../byte-sources/byte-source.js';
import { gatheredWrites } from './gathered-writes.js';
import type { OutputTarget } from './output-target.js';
import { removeAtExit } from './remove-at-exit.js';
import { temporaryName } from './temporary-name.js';
import { writingError } from './writing-error.js';

/** A file that is written under a temporary name, in the folder of the file that it will be. */
export interface StagedFile extends Pick<ByteSink, 'write' | 'writeAt'> {
  /** What was written so far is in this file once a `writeAt` is done. */
  readonly temporaryPath: string;
  /** Where the file belongs, links followed. */
  readonly path: string;
  /** Ends the writing: everything is on the disk, still under the temporary name. May be called twice. */
  settle(): Promise<void>;
  /** Says that the temporary name is gone: nothing is left to remove when the process exits. */
  released(): void;
  /** Removes the temporary file if it still has its name. Never throws; may be called twice. */
  discard(): Promise<void>;
}

/**
 * Starts a file for `target`, with the mode and, where the system allows it, the owner of the file that it replaces.
 * Throws `io` that names `where`.
 */
export async function stagedFile(
  target: Exclude<OutputTarget, { readonly kind: 'stream' }>,
  where: string,
): Promise<StagedFile> {
  const temporaryPath = join(dirname(target.path), temporaryName(basename(target.path), 'tmp'));
  const fail = (error: unknown): never => {
    throw writingError(where, error);
  };
  // Made with the old mode, so that a private file is never readable by others.
  const mode = target.kind === 'file' ? target.mode : 0o666;
  let handle: FileHandle | undefined = await open(temporaryPath, 'wx', mode).catch(fail);
  const released = removeAtExit(temporaryPath);
  const writes = gatheredWrites(writeNow);

  async function writeNow(position: number, bytes: Uint8Array) {
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await handle!.write(bytes, done, bytes.byteLength - done, position + done).catch(fail);
      done += bytesWritten;
    }
  }
  async function close() {
    const opened = handle;
    handle = undefined;
    await opened?.close();
  }
  async function discard() {
    await close().catch(() => {});
    await rm(temporaryPath, { force: true }).catch(() => {});
    released();
  }
  if (target.kind === 'file') {
    try {
      await keepOwner(handle, target);
      // After the owner, and for the bits that the umask took away.
      await handle.chmod(target.mode);
    } catch (error) {
      await discard();
      fail(error);
    }
  }
  return {
    temporaryPath,
    path: target.path,
    write: writes.write,
    async writeAt(position, bytes) {
      await writes.flush();
      await writeNow(position, bytes);
    },
    async settle() {
      if (handle === undefined) return;
      await writes.flush();
      await handle.sync().catch(fail);
      await close().catch(fail);
    },
    released,
    discard,
  };
}

/** Only the superuser may give files away, for whom it matters most: a file would become unreadable for its owner. */
async function keepOwner(handle: FileHandle, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  const own = await handle.stat();
  if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid).catch(() => {});
}
