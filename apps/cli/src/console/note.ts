import { escapeControls } from '@prune/core';
import { err } from './colors.js';

/** A line on stderr that is no result: what a person should know, and `--quiet` leaves out. */
export function note(quiet: boolean | undefined, text: string): void {
  if (!quiet) process.stderr.write(`${err.yellow('note:')} ${escapeControls(text)}\n`);
}
