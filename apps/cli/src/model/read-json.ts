import { PruneError } from '@prune/core';
import { type ReadTextOptions, readText } from './read-text.js';

/** A JSON file as parsed; `-` reads standard input. Errors as {@link readText}'s; what is not JSON is `corrupt`. */
export async function readJson(path: string, options: ReadTextOptions = {}): Promise<unknown> {
  const json = await readText(path, options);
  try {
    return JSON.parse(json);
  } catch (cause) {
    const what = `not JSON: ${(cause as SyntaxError).message}`;
    throw new PruneError('corrupt', { where: path, what, cause });
  }
}
