/** What every command is given besides its own options. */
export interface CommandContext {
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
}
