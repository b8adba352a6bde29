import { PruneError } from '@prune/core';

/** Throws `invalid-argument` for what a caller without types may hand in as a text. */
export function checkText(where: string, what: string, text: unknown): asserts text is string {
  if (typeof text === 'string') return;
  throw new PruneError('invalid-argument', {
    where,
    what,
    got: text === null ? 'null' : typeof text,
    wanted: 'a text',
  });
}
