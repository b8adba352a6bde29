import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { ByteSink } from '../../byte-sources/byte-source.js';
import { PruneError } from '../../errors/prune-error.js';
import { type FolderFiles, folderFiles } from './folder-files.js';
import { folderLock } from './folder-lock.js';
import { outputTarget, streamError } from './output-target.js';
import { publishFile } from './publish-file.js';
import { existsError, refuseExisting } from './refuse-existing.js';
import { removeLeftFiles } from './remove-left-files.js';
import { type StagedFile, stagedFile } from './staged-file.js';
import { syncFolder } from './sync-folder.js';
import { temporaryName } from './temporary-name.js';
import { writingError } from './writing-error.js';

/** Options of {@link fileGroup}. */
export interface FileGroupOptions {
  /**
   * Replace the main file that is there, and files beside it that say something else. Default false: refuse, naming the
   * file.
   */
  readonly force?: boolean;
  /** The path for messages, where the folder will get another name. */
  readonly shownAs?: string;
}

/** The files beside a main file. */
export interface FilesBeside {
  /** By name. A name may be a path into a folder beside the main file, which is made. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Names of the folder's files that a reader would take for a part of the new model, and that have to go. */
  readonly stale?: readonly string[];
}

/** A main file that is being written, with the files that belong beside it. */
export interface FileGroup {
  /** `commit` of this sink puts it on the disk without showing it. */
  readonly main: ByteSink & {
    /** The file that holds what was written so far, once a `writeAt` is done. */
    readonly temporaryPath: string;
  };
  /**
   * Shows everything. `plan` says what belongs beside the main file, from what the folder holds; no other writer
   * changes the folder meanwhile. Throws `invalid-argument` or `mismatch` for what must not be replaced without
   * `force`, and `io`: then the folder is as it was, unless only the last sync failed, when everything was visible
   * already.
   */
  commit(plan: (folder: FolderFiles) => Promise<FilesBeside>): Promise<void>;
  /** Drops everything that is not shown yet. Safe to call twice. */
  abort(): Promise<void>;
}

/**
 * A main file and the files beside it, which become visible together: whoever opens the main file first and finds it,
 * and finds that it is the same file after reading those beside it (`openMainFile`), has read one model. A writer that
 * is killed leaves the old model, no main file or the new model. Of several writers, one wins whole.
 *
 * Everything is written and synced under temporary names. Then, under the lock of the folder, the old main file is
 * moved away first, the files beside it are replaced, and the new main file gets its name last. When nothing beside it
 * changes, the main file is replaced in one step. A step that fails is undone with those before it. Throws
 * `invalid-argument` for a main file that is there and for a pipe or a device, and `io`.
 */
export async function fileGroup(
  path: string,
  { force = false, shownAs = path }: FileGroupOptions = {},
): Promise<FileGroup> {
  const target = await outputTarget(path);
  const folder = dirname(resolve(path));
  if (target.kind === 'stream') throw streamError(shownAs);
  if (target.kind === 'file' && !force) throw existsError(shownAs);
  // A link leads to a file whose own folder other writers may know.
  const folders = await distinctFolders([folder, dirname(target.path)], shownAs);
  for (const each of folders) await removeLeftFiles(each);
  const main = await stagedFile(target, shownAs);
  const beside: StagedFile[] = [];
  const held = folderFiles(folder);

  async function abort() {
    for (const file of [main, ...beside]) await file.discard();
  }

  /** Writes the files beside the main one that have to change, under temporary names. */
  async function stage(files: ReadonlyMap<string, Uint8Array>): Promise<StagedFile[]> {
    for (const [name, bytes] of files) {
      const where = join(dirname(shownAs), name);
      if (await held.says(name, bytes)) continue;
      await mkdir(dirname(join(folder, name)), { recursive: true }).catch((error) => {
        throw writingError(where, error);
      });
      const target = await outputTarget(join(folder, name));
      if (target.kind === 'stream') throw streamError(where);
      if (target.kind === 'file' && !force) throw mismatch(where, 'exists and says something else');
      if (dirname(target.path) !== folder) await removeLeftFiles(dirname(target.path));
      const file = await stagedFile(target, where);
      beside.push(file);
      await file.write(bytes);
      await file.settle();
    }
    return beside;
  }

  async function show(changed: readonly StagedFile[], stale: readonly string[]) {
    const undo: (() => Promise<unknown>)[] = [];
    const away: string[] = [];
    const moveAway = async (from: string) => {
      const to = join(dirname(from), temporaryName(basename(from), 'old'));
      const moved = await rename(from, to).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return false;
          throw writingError(shownAs, error);
        },
      );
      if (!moved) return;
      undo.push(() => rename(to, from));
      away.push(to);
    };
    try {
      if (changed.length + stale.length > 0) {
        // Synced before what follows, so that a power cut leaves the same as a kill does.
        await moveAway(main.path);
        await syncFolder(dirname(main.path));
        for (const name of stale) await moveAway(join(folder, name));
        for (const file of changed) {
          await moveAway(file.path);
          await publishFile(file, true, join(dirname(shownAs), basename(file.path)));
          undo.push(() => rm(file.path, { force: true }));
        }
        for (const each of new Set([folder, ...changed.map(({ path }) => dirname(path))])) await syncFolder(each);
      }
      await publishFile(main, force, shownAs);
    } catch (error) {
      for (const step of undo.reverse()) await step().catch(() => {});
      throw writingError(shownAs, error);
    }
    for (const file of away) await rm(file, { force: true }).catch(() => {});
    for (const each of folders) {
      await syncFolder(each).catch((error) => {
        throw writingError(shownAs, error);
      });
    }
  }

  return {
    main: {
      temporaryPath: main.temporaryPath,
      write: main.write,
      writeAt: main.writeAt,
      commit: main.settle,
      abort,
    },
    async commit(plan) {
      await main.settle();
      const locks: (() => Promise<void>)[] = [];
      try {
        for (const each of folders) locks.push(await folderLock(each));
        // Again: the file may have been made since the group was started.
        await refuseExisting(path, force);
        const { files, stale = [] } = await plan(held);
        const names = await held.names();
        const gone = stale.filter((name) => names.includes(name) && !files.has(name));
        if (gone.length > 0 && !force)
          throw mismatch(join(dirname(shownAs), gone[0]), 'exists, and this model has none');
        // Throws for a folder of that name, which is not ours to remove.
        for (const name of gone) await outputTarget(join(folder, name));
        await show(await stage(files), gone);
      } finally {
        for (const unlock of locks) await unlock();
      }
    },
    abort,
  };
}

/**
 * Folders without those that are the same under another name, in an order that all writers share, so that they do not
 * wait for each other's locks.
 */
async function distinctFolders(folders: readonly string[], where: string): Promise<string[]> {
  const distinct = new Map<string, string>();
  for (const folder of folders) {
    const { dev, ino } = await stat(folder, { bigint: true }).catch((error) => {
      throw writingError(where, error);
    });
    distinct.set(`${dev} ${ino}`, folder);
  }
  return [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, folder]) => folder);
}

function mismatch(where: string, what: string): PruneError {
  return new PruneError('mismatch', { where, what, wanted: 'another folder, or force' });
}
