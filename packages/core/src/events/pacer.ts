import { checkAborted } from '../errors/prune-error.js';
import { yieldToEvents } from './yield-to-events.js';

/**
 * How long work goes on before it returns to the event loop, in ms. Users are promised 50; the work between two looks
 * at the clock, and a second pacer inside that work, have the rest.
 */
const TURN_MS = 20;

/** Reminds long work to return to the event loop. */
export class Pacer {
  #since = performance.now();

  /** How many ms of work are left before the next {@link pause} is due; negative when it is overdue. */
  get left(): number {
    return TURN_MS - (performance.now() - this.#since);
  }

  /**
   * Returns to the event loop when that is due, or would be within the next `ahead` ms, which the caller is about to
   * work. Throws `aborted`, whether it is due or not.
   */
  async pause(signal?: AbortSignal, ahead = 0): Promise<void> {
    checkAborted(signal);
    if (this.left > ahead) return;
    await yieldToEvents();
    this.#since = performance.now();
    checkAborted(signal);
  }
}
