import { escapeControls } from '@prune/core';

/**
 * Prints plain text on stdout, control characters escaped but the newlines and tabs. JSON stays the same value. What
 * has colours is not for this function: its parts are escaped before they are coloured.
 */
export function print(text: string): void {
  console.log(escapeControls(text, { keepLines: true }));
}
