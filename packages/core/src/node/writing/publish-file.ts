import { link, rename, rm, stat } from 'node:fs/promises';
import { existsError } from './refuse-existing.js';
import type { StagedFile } from './staged-file.js';
import { writingError } from './writing-error.js';

/**
 * Gives a settled file its name in one step. Throws `invalid-argument` when there is a file of that name and `replace`
 * is not set, also one that was made a moment ago; `io` that names `where`.
 */
export async function publishFile(file: StagedFile, replace: boolean, where: string): Promise<void> {
  try {
    await giveName(file, replace, where);
    file.released();
  } catch (error) {
    throw writingError(where, error);
  }
}

async function giveName({ temporaryPath, path }: StagedFile, replace: boolean, where: string): Promise<void> {
  if (replace) return rename(temporaryPath, path);
  // Unlike a renaming, a second name never takes the place of a file.
  const refused = await link(temporaryPath, path).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  );
  if (refused?.code === 'EEXIST') throw existsError(where, refused);
  if (refused === undefined) return await rm(temporaryPath, { force: true }).catch(() => {});
  // The file system has no second names (FAT, some network folders). Here a file of the last moment is replaced.
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined) throw existsError(where, refused);
  await rename(temporaryPath, path);
}
