import { isPruneError, PruneError } from '@prune/core';

/**
 * An error about one of several texts, with the name that the user knows the text by. `first` is the place of the first
 * text of the call that failed, among the arguments `given` and then the lines of `file`. Any other error is returned
 * as it is.
 */
export function nameText(error: unknown, first: number, given: readonly string[], file: string | undefined): unknown {
  if (!isPruneError(error) || error.text === undefined) return error;
  const { code, what, got, wanted, tensor } = error;
  const place = first + error.text;
  const line = `line ${place - given.length + 1} of ${file === '-' ? 'standard input' : file}`;
  const name = place < given.length ? `text ${place + 1}` : line;
  const alone = given.length === 1 && file === undefined;
  return new PruneError(code, { where: alone ? error.where : name, what, got, wanted, tensor, cause: error });
}
