import { PruneError } from '@prune/core';
import { type ReadTextOptions, readText } from './read-text.js';

/**
 * The texts of a command: its arguments, then each line of `file`, so that the n-th line gives the n-th result. Throws
 * `invalid-argument` for no text and for a blank line, which has no result, and what `readText` throws.
 */
export async function readTexts(
  given: readonly string[],
  file: string | undefined,
  options: ReadTextOptions,
): Promise<string[]> {
  const lines = file === undefined ? [] : linesOf(await readText(file, options), file);
  const texts = [...given, ...lines];
  if (texts.length > 0) return texts;
  throw new PruneError('invalid-argument', { what: 'no text', wanted: 'a text or --file' });
}

function linesOf(text: string, file: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const blank = lines.findIndex((line) => line.trim() === '');
  if (blank === -1) return lines;
  const where = file === '-' ? 'standard input' : file;
  throw new PruneError('invalid-argument', { where, what: `line ${blank + 1} is blank`, wanted: 'one text a line' });
}
