import pc from 'picocolors';

/** A line on stderr that is no result: what a person should know, and `--quiet` leaves out. */
export function note(quiet: boolean | undefined, text: string): void {
  if (!quiet) process.stderr.write(`${pc.yellow('note:')} ${text}\n`);
}
