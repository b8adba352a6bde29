import { escapeControls, isPruneError } from '@prune/core';
import { CommanderError } from 'commander';
import type { CommandContext } from '../command-context.js';
import { err } from './colors.js';
import { flushed } from './flushed.js';
import { namingForce } from './naming-force.js';
import { print } from './print.js';

/** What a command's exit status says; the same for every command. A signal's status is in {@link SIGNAL_STATUS}. */
export const EXIT = {
  /** Done; for `verify`: equal. */
  ok: 0,
  /** Done, and the answer is no: `verify` found a difference. */
  different: 1,
  /** Not done: bad usage, bad input, a full disk. */
  failed: 2,
} as const;

/** The signals that end a command, and its exit status then, as shells report it. */
export const SIGNAL_STATUS: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGINT: 130,
  SIGTERM: 143,
  SIGHUP: 129,
};

/** How a person knows a signal: by the key that sends it, where there is one. */
const SIGNAL_NAMES: Readonly<Partial<Record<NodeJS.Signals, string>>> = { SIGINT: 'Ctrl-C' };

/**
 * Work that has not stopped by then is given up, in milliseconds: a command ends within a second of its first signal.
 */
const PATIENCE_MS = 700;

/** How long the result so far may take to be said then. */
const LAST_WORDS_MS = 200;

/** A signal this soon after the first is the same Ctrl-C: the terminal sends one to `npx`, which passes on its own. */
const SAME_SIGNAL_MS = 200;

/**
 * Runs `work` and gives the exit status. A user's error is one line on stderr; only a bug shows a stack trace. A signal
 * aborts the work, prints the result so far, and says on stderr what was printed and which files were written; the
 * status is the signal's then, whatever became of the work. A second signal ends the process at once, and so does work
 * that goes on.
 */
export async function runCommand(work: (context: CommandContext) => Promise<void>): Promise<number> {
  const controller = new AbortController();
  let resultSoFar: Parameters<CommandContext['sayWhenEnded']>[0] = () => undefined;
  let writtenSoFar: Parameters<CommandContext['tellWritten']>[0] = async () => [];
  let ended: { readonly name: NodeJS.Signals; readonly status: number; readonly at: number } | undefined;
  let patience: NodeJS.Timeout | undefined;
  let reported: Promise<void> | undefined;

  async function report(name: NodeJS.Signals, done: boolean) {
    // What cannot be said must not keep the rest from being said, nor change the status.
    const text = done ? undefined : await (async () => resultSoFar())().catch(() => undefined);
    if (text) print(text);
    const files = await writtenSoFar().catch(() => []);
    const parts = [
      `prune: ended by ${SIGNAL_NAMES[name] ?? name}`,
      ...(done ? ['the work was done by then'] : []),
      ...(text === undefined ? [] : ['a partial result was printed']),
      files.length === 0 ? 'no file was written' : `written: ${files.join(', ')}`,
    ];
    process.stderr.write(`${escapeControls(parts.join(', '))}\n`);
    await flushed();
  }
  /** Once, whether the work stops or is given up. */
  function reportEnd(name: NodeJS.Signals, done = false): Promise<void> {
    reported ??= report(name, done);
    return reported;
  }
  async function giveUp(name: NodeJS.Signals, status: number) {
    // What is known must not take longer to say than the rest of the second.
    setTimeout(() => process.exit(status), LAST_WORDS_MS);
    await reportEnd(name);
    process.exit(status);
  }
  function end(name: NodeJS.Signals) {
    if (ended !== undefined) {
      if (performance.now() - ended.at > SAME_SIGNAL_MS) process.exit(ended.status);
      return;
    }
    const status = SIGNAL_STATUS[name]!;
    ended = { name, status, at: performance.now() };
    patience = setTimeout(() => giveUp(name, status), PATIENCE_MS);
    controller.abort();
  }
  /** TypeScript takes `ended` for what it was before the work. */
  const endedBy = () => ended;
  const signals = Object.keys(SIGNAL_STATUS) as NodeJS.Signals[];
  for (const name of signals) process.on(name, end);
  try {
    process.exitCode = EXIT.ok;
    await work({
      signal: controller.signal,
      sayWhenEnded(say) {
        resultSoFar = say;
      },
      tellWritten(tell) {
        writtenSoFar = tell;
      },
    });
    const by = endedBy();
    if (by === undefined) return Number(process.exitCode ?? EXIT.ok);
    await reportEnd(by.name, true);
    return by.status;
  } catch (thrown) {
    const error = namingForce(thrown);
    const by = endedBy();
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.failed;
    if (by === undefined || !isPruneError(error, 'aborted')) sayError(error);
    if (by === undefined) return EXIT.failed;
    await reportEnd(by.name);
    return by.status;
  } finally {
    clearTimeout(patience);
    for (const name of signals) process.off(name, end);
  }
}

function sayError(error: unknown): void {
  // Another installed copy of the error class may not escape its messages. What the system says of a file, and nobody
  // has said better, is not a bug.
  if (isPruneError(error) || (error instanceof Error && 'syscall' in error)) {
    process.stderr.write(`${err.red('prune:')} ${escapeControls(error.message)}\n`);
    return;
  }
  const stack = escapeControls(String(error instanceof Error ? error.stack : error), { keepLines: true });
  process.stderr.write(`${err.red('prune: this is a bug:')} ${stack}\n`);
}
