import { type FileHandle, open, stat } from 'node:fs/promises';
import { isPruneError, PruneError } from '../../errors/prune-error.js';
import { checkPath } from '../check-path.js';

/**
 * Each try sees another file. A writer takes longer to write a model than a reader to open it, so a second try is rare.
 */
const TRIES = 5;

const REPLACED = 'was replaced while it was being read';

/** The main file of a model whose files lie beside it. */
export interface MainFile {
  /**
   * Runs `read`, which reads files beside the main one. Throws `io` when the main file was replaced since it was
   * opened, or meanwhile: then what was read may belong to another model.
   */
  unreplaced<T>(read: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * Opens a model of several files as one that was written by `fileGroup`: calls `opening`, which opens the main file at
 * `path` and reads files beside it, and calls it again, some times, when the main file was replaced meanwhile. Whatever
 * has to be undone when `opening` was overtaken is done by `undo`. The `MainFile` is the caller's to close when
 * `opening` succeeded. Throws `io` when the file is replaced again and again, and what `opening` throws.
 */
export async function openMainFile<T>(
  path: string,
  opening: (main: MainFile) => Promise<T>,
  undo: (value: T) => Promise<unknown> = async () => {},
): Promise<T> {
  checkPath(path);
  for (let tries = 1; ; tries++) {
    const main = await hold(path);
    let opened: { readonly value: T } | undefined;
    try {
      await main.unreplaced(async () => {
        opened = { value: await opening(main) };
      });
      return opened!.value;
    } catch (error) {
      if (opened !== undefined) await undo(opened.value);
      await main.close();
      if (!isPruneError(error, 'io') || error.what !== REPLACED || tries === TRIES) throw error;
    }
  }
}

/** Keeps the file open, so that no other file gets its number. */
async function hold(path: string): Promise<MainFile> {
  const found = await stat(path).catch(() => undefined);
  // A pipe can be opened once only, and whoever opens a folder says so.
  if (found !== undefined && !found.isFile()) return { unreplaced: (read) => read(), close: async () => {} };
  let handle: FileHandle | undefined = await open(path).catch(() => undefined);
  const held = await handle?.stat({ bigint: true });

  /** Changes also when the file was moved away and back again. `undefined` when another file has the name, or none. */
  async function state(): Promise<bigint | undefined> {
    const now = await stat(path, { bigint: true }).catch(() => undefined);
    return now !== undefined && now.dev === held?.dev && now.ino === held.ino ? now.ctimeNs : undefined;
  }
  return {
    async unreplaced(read) {
      const before = await state();
      const outcome = await read().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      // Without a file from the start, what was read without a fault was read from one that has just been made.
      const replaced = held === undefined ? 'value' in outcome : before === undefined || (await state()) !== before;
      if (replaced) {
        throw new PruneError('io', {
          where: path,
          what: REPLACED,
          cause: 'error' in outcome ? outcome.error : undefined,
        });
      }
      if ('error' in outcome) throw outcome.error;
      return outcome.value;
    },
    async close() {
      const opened = handle;
      handle = undefined;
      await opened?.close();
    },
  };
}
