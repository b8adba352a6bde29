import { escapeControls } from '@prune/core';
import { err } from './colors.js';
import { EXIT } from './run-command.js';

/**
 * Keeps a standard stream that cannot be written to from ending the process with a stack trace. Returns what gives the
 * exit status: that of the command, or `failed` where standard output lost something.
 */
export function watchOutput(): (status: number) => number {
  let lost = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `prune ... | head` reads as much as it wants: what a command does, and its status, do not depend on that.
    if (error.code === 'EPIPE' || lost) return;
    lost = true;
    // For an error that arrives after the command is done.
    process.exitCode = EXIT.failed;
    process.stderr.write(`${err.red('prune:')} standard output: ${escapeControls(error.message)}\n`);
  });
  // There is no place left to say it.
  process.stderr.on('error', () => {});
  return (status) => (lost ? EXIT.failed : status);
}
