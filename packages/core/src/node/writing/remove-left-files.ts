import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasEnded, type ProcessMark, thisProcess } from './process-mark.js';
import { parseTemporaryName } from './temporary-name.js';

/**
 * Another machine's processes cannot be asked about. Its files are left alone for a week after they were last written
 * to: longer than anybody evaluates a model before the result is written, and longer than clocks differ.
 */
const FOREIGN_AGE_MS = 7 * 24 * 3600 * 1000;

/**
 * Removes what killed processes left in `folder` under the names of `temporaryName`. Files of processes that may still
 * run stay, so any number of writers may call this at once. What cannot be removed is left: it is not what the caller
 * came for.
 */
export async function removeLeftFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const owner = parseTemporaryName(name);
    if (owner === undefined) continue;
    const path = join(folder, name);
    if (await isLeft(path, owner)) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function isLeft(path: string, owner: ProcessMark): Promise<boolean> {
  if (owner.host === thisProcess().host) return hasEnded(owner);
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > FOREIGN_AGE_MS;
}
