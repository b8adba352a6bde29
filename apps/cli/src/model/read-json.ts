import { PruneError } from '@prune/core';
import { readText } from './read-text.js';

/** A JSON file as parsed; `-` reads standard input. Throws `missing`, `io` or `corrupt` naming it, and `aborted`. */
export async function readJson(path: string, signal?: AbortSignal): Promise<unknown> {
  const json = await readText(path, signal);
  try {
    return JSON.parse(json);
  } catch (cause) {
    const what = `not JSON: ${(cause as SyntaxError).message}`;
    throw new PruneError('corrupt', { where: path, what, cause });
  }
}
