import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { PruneError } from '../../errors/prune-error.js';
import { hasEnded, thisProcess } from './process-mark.js';
import { parseTemporaryName, temporaryName } from './temporary-name.js';
import { writingError } from './writing-error.js';

/** What is done under the lock takes milliseconds; a loaded network folder may take seconds. */
const WAIT_MS = 30_000;

/**
 * A claim of another machine, whose processes cannot be asked about, counts for an hour: a thousand times longer than
 * anybody needs the lock.
 */
const FOREIGN_AGE_MS = 3600 * 1000;

/**
 * Waits until nobody else changes the files of `folder`, and returns what gives the folder free again. Throws `io` when
 * another writer does not come to an end within `waitMs`.
 *
 * Every writer puts a file of its own into the folder, a claim, and then looks for others. One that sees another claim
 * takes its own away and tries later. Of two writers the one that looks last sees both, so they never both go on. The
 * name of a claim says whose it is and is never used again, so that the claim of a killed process can be ignored and
 * removed by anyone. A single lock file cannot be taken over so simply: of two writers that find it left behind, the
 * slower one would remove the lock that the faster one has just made.
 */
export async function folderLock(folder: string, waitMs = WAIT_MS): Promise<() => Promise<void>> {
  const own = temporaryName('prune', 'lock');
  const path = join(folder, own);
  const remove = () => rm(path, { force: true }).catch(() => {});
  const deadline = Date.now() + waitMs;
  for (;;) {
    try {
      let other = await otherClaim(folder, own);
      if (other === undefined) {
        await writeFile(path, '', { flag: 'wx' });
        other = await otherClaim(folder, own);
        if (other === undefined) return remove;
        await remove();
      }
      if (Date.now() >= deadline) {
        throw new PruneError('io', {
          where: folder,
          what: 'another process is writing a model into this folder',
          got: other,
          wanted: 'that it ends, or that this file is removed if it has ended',
        });
      }
    } catch (error) {
      await remove();
      throw writingError(folder, error);
    }
    // Random, so that two writers that saw each other's claims do not meet again.
    await setTimeout(2 + 30 * Math.random());
  }
}

/** The name of a claim of somebody who may still run. */
async function otherClaim(folder: string, own: string): Promise<string | undefined> {
  for (const name of await readdir(folder)) {
    const owner = name === own ? undefined : parseTemporaryName(name);
    if (owner?.kind !== 'lock' || hasEnded(owner)) continue;
    if (owner.host !== thisProcess().host && (await isOld(join(folder, name)))) continue;
    return name;
  }
  return undefined;
}

/** Also one that has gone since the folder was listed. */
async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined || Date.now() - found.mtimeMs > FOREIGN_AGE_MS;
}
