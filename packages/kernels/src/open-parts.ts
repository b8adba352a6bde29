import { closedError } from './closed-error.js';

/** What an engine has open and closes with itself: its encoders and Linears. */
export class OpenParts {
  readonly #closers = new Set<() => void | Promise<void>>();
  #closing: Promise<void> | undefined;

  /** Throws `invalid-argument` when the engine is closed. */
  check(): void {
    if (this.#closing !== undefined) throw closedError('engine');
  }

  add(close: () => void | Promise<void>): void {
    this.#closers.add(close);
  }

  /** Called when a part is closed, so that the engine does not keep it. */
  delete(close: () => void | Promise<void>): void {
    this.#closers.delete(close);
  }

  /** Closes all parts; resolves when all are closed, for every caller. */
  close(): Promise<void> {
    this.#closing ??= Promise.all([...this.#closers].map((close) => close())).then(() => {});
    return this.#closing;
  }
}
