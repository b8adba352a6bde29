/** What every command is given besides its own options. */
export interface CommandContext {
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /**
   * Sets what is printed on stdout when a signal ends the command: the result so far, marked as partial. `undefined`
   * says that there is no result yet, and `''` that the result so far has been printed already.
   */
  readonly sayWhenEnded: (resultSoFar: () => string | undefined | Promise<string | undefined>) => void;
  /** Sets what tells, when a signal ends the command, which files it has written by then. */
  readonly tellWritten: (writtenSoFar: () => Promise<readonly string[]>) => void;
}
