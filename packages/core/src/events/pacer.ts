import { checkAborted } from '../errors/prune-error.js';
import { yieldToEvents } from './yield-to-events.js';

/**
 * How long work goes on before it returns to the event loop, in ms. Users are promised 50; the work between two looks
 * at the clock has the rest.
 */
const TURN_MS = 20;

/**
 * When a pacer last returned to the event loop. One clock for all of them: steps that follow each other, each with a
 * pacer of its own, are one turn. Work that begins long after that returns once too often, which takes microseconds.
 */
let lastReturn = Number.NEGATIVE_INFINITY;

/** Reminds long work to return to the event loop. */
export class Pacer {
  /** How many ms of work are left before the next {@link pause} is due; negative when it is overdue. */
  get left(): number {
    return TURN_MS - (performance.now() - lastReturn);
  }

  /**
   * Returns to the event loop when that is due, or would be within the next `ahead` ms, which the caller is about to
   * work. Throws `aborted`, whether it is due or not.
   */
  async pause(signal?: AbortSignal, ahead = 0): Promise<void> {
    checkAborted(signal);
    if (this.left > ahead) return;
    await yieldToEvents();
    lastReturn = performance.now();
    checkAborted(signal);
  }
}
