import { checkArgument } from '@prune/core';

/**
 * Throws `invalid-argument` for what a caller without types may hand in as a text. `place` is the text's place among
 * several.
 */
export function checkText(where: string, what: string, text: unknown, place?: number): asserts text is string {
  checkArgument(typeof text === 'string', { where, what, wanted: 'a text', text: place }, text);
}
