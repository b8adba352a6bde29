import { PruneError } from '@prune/core';
import { readText } from './read-text.js';

/** A JSON file as parsed; `-` reads standard input. Throws `missing` or `corrupt` naming it. */
export async function readJson(path: string): Promise<unknown> {
  const json = await readText(path);
  try {
    return JSON.parse(json);
  } catch (cause) {
    const what = `not JSON: ${(cause as SyntaxError).message}`;
    throw new PruneError('corrupt', { where: path, what, cause });
  }
}
