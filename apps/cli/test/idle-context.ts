import type { CommandContext } from '../src/command-context.js';

/** The context of commands that are looked at and not run. */
export const IDLE_CONTEXT: CommandContext = {
  signal: new AbortController().signal,
  sayWhenEnded() {},
  tellWritten() {},
};
