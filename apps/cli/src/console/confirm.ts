import { createInterface } from 'node:readline/promises';
import { checkAborted, escapeControls } from '@prune/core';

/** Whether there is a person to ask: both what is read and where the question goes are a terminal. */
export function canAsk(): boolean {
  return Boolean(process.stdin.isTTY && process.stderr.isTTY);
}

/**
 * Asks a question on stderr. Only `y` and `yes` are a yes: an empty line and the end of input (Ctrl-D) are a no. Ctrl-C
 * ends the command as it does everywhere. Throws `aborted` when a signal ends the command meanwhile.
 */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // While readline reads, the terminal sends no signal: Ctrl-C is a key like any other, and would close readline.
  terminal.once('SIGINT', () => process.emit('SIGINT', 'SIGINT'));
  const closed = new Promise<string>((resolve) => {
    // The cursor stands behind the question.
    terminal.once('close', () => resolve('\n'));
  });
  try {
    const asked = terminal.question(`${escapeControls(question)} [y/N] `, { signal });
    const answer = await Promise.race([asked, closed]);
    if (answer === '\n') process.stderr.write(answer);
    return /^\s*y(es)?\s*$/i.test(answer);
  } catch (error) {
    checkAborted(signal);
    throw error;
  } finally {
    terminal.close();
  }
}
