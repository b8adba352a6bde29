/** What every command is given besides its own options. */
export interface CommandContext {
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /**
   * Sets what is printed on stdout when a signal ends the command: the result so far, marked as partial. `undefined`
   * prints nothing.
   */
  readonly sayWhenEnded: (resultSoFar: () => string | undefined | Promise<string | undefined>) => void;
}
