import { escapeControls, isPruneError } from '@prune/core';
import { CommanderError } from 'commander';
import { err } from './colors.js';
import { namingForce } from './naming-force.js';

/** What a command's exit status says; the same for every command. */
export const EXIT = {
  /** Done; for `verify`: equal. */
  ok: 0,
  /** Done, and the answer is no: `verify` found a difference. */
  different: 1,
  /** Not done: bad usage, bad input, a full disk. */
  failed: 2,
  /** Interrupted; as shells report SIGINT. */
  interrupted: 130,
} as const;

/** Runs `work` and gives the exit status. A user's error is one line on stderr; only a bug shows a stack trace. */
export async function runCommand(work: (signal: AbortSignal) => Promise<void>): Promise<number> {
  const controller = new AbortController();
  const interrupt = () => {
    // A second interrupt does not wait for the clean-up.
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  try {
    process.exitCode = EXIT.ok;
    await work(controller.signal);
    return Number(process.exitCode ?? EXIT.ok);
  } catch (thrown) {
    const error = namingForce(thrown);
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.failed;
    if (isPruneError(error, 'aborted')) {
      process.stderr.write('prune: interrupted, nothing was written\n');
      return EXIT.interrupted;
    }
    // Another installed copy of the error class may not escape its messages.
    if (isPruneError(error)) process.stderr.write(`${err.red('prune:')} ${escapeControls(error.message)}\n`);
    // What the system says of a file, and nobody has said better: not a bug.
    else if (error instanceof Error && 'syscall' in error) {
      process.stderr.write(`${err.red('prune:')} ${escapeControls(error.message)}\n`);
    } else {
      const stack = escapeControls(String(error instanceof Error ? error.stack : error), { keepLines: true });
      process.stderr.write(`${err.red('prune: this is a bug:')} ${stack}\n`);
    }
    return EXIT.failed;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
}
