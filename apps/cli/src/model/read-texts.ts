import { PruneError } from '@prune/core';
import { type ReadTextOptions, readText } from './read-text.js';

/** The texts of a command: its arguments, then each line of `file` that has something in it. Throws as `readText`. */
export async function readTexts(
  given: readonly string[],
  file: string | undefined,
  options: ReadTextOptions,
): Promise<string[]> {
  const lines = file === undefined ? [] : (await readText(file, options)).split(/\r?\n/);
  const texts = [...given, ...lines.filter((line) => line.trim() !== '')];
  if (texts.length > 0) return texts;
  throw new PruneError('invalid-argument', { what: 'no text', wanted: 'a text or --file' });
}
