import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { PruneError } from '@prune/core';

/** A UTF-8 file; `-` reads standard input. Throws `missing`, `io` or `corrupt` naming it. */
export async function readText(path: string): Promise<string> {
  const bytes = await (path === '-' ? buffer(process.stdin) : readFile(path)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') throw new PruneError('missing', { where: path, what: 'no such file', cause });
    throw new PruneError('io', { where: path, what: cause.message, cause });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PruneError('corrupt', { where: path, what: 'not UTF-8', cause });
  }
}
