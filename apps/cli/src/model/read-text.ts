import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { PruneError } from '@prune/state-dict';

/** A UTF-8 file; `-` reads standard input. Throws `missing` naming it. */
export async function readText(path: string): Promise<string> {
  try {
    return path === '-' ? await text(process.stdin) : await readFile(path, 'utf8');
  } catch (cause) {
    throw new PruneError('missing', { where: path, what: 'cannot be read', cause });
  }
}
