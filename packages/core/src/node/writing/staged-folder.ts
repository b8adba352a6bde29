import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { PruneError } from '../../errors/prune-error.js';
import { outputTarget } from './output-target.js';
import { existsError } from './refuse-existing.js';
import { removeAtExit } from './remove-at-exit.js';
import { removeLeftFiles } from './remove-left-files.js';
import { syncFolder } from './sync-folder.js';
import { temporaryName } from './temporary-name.js';
import { writingError } from './writing-error.js';

/** A folder that is filled under a temporary name. */
export interface StagedFolder {
  readonly temporaryPath: string;
  /**
   * Gives the folder its name, in one step. Whoever filled it has synced its files. Throws `invalid-argument` when
   * there is one of that name by now.
   */
  commit(): Promise<void>;
  /** Removes it with what is in it, unless it has its name. Never throws. */
  abort(): Promise<void>;
}

/**
 * Starts a folder that appears as `path` only when whole, and makes the folders above it. A symbolic link that leads
 * nowhere yet stays a link. Throws `io` with the path.
 */
export async function stagedFolder(path: string): Promise<StagedFolder> {
  const target = await outputTarget(path);
  if (target.kind !== 'new') throw new PruneError('io', { where: path, what: 'is not a folder' });
  const parent = dirname(target.path);
  const temporaryPath = join(parent, temporaryName(basename(target.path), 'tmp'));
  const fail = (error: unknown): never => {
    throw writingError(path, error);
  };
  await mkdir(parent, { recursive: true }).catch(fail);
  await removeLeftFiles(parent);
  await mkdir(temporaryPath).catch(fail);
  const released = removeAtExit(temporaryPath);
  return {
    temporaryPath,
    async commit() {
      await rename(temporaryPath, target.path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') throw existsError(path, error);
        fail(error);
      });
      released();
      await syncFolder(parent).catch(fail);
    },
    async abort() {
      await rm(temporaryPath, { recursive: true, force: true }).catch(() => {});
      released();
    },
  };
}
