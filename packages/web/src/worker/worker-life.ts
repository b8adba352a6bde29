import { pageOrigin } from '../http/page-origin.js';

/** Milliseconds between two questions to a worker that does not answer a call yet. */
const BEAT = 10_000;
/** So many questions in a row without any message mean that the worker has ended. */
const SILENT_BEATS = 3;

interface LockGlobals {
  readonly navigator?: { readonly locks?: LockManagerLike };
}

/** The part of the browser's `LockManager` that is used here. */
interface LockManagerLike {
  request(name: string, options: { readonly signal?: AbortSignal }, work: () => unknown): Promise<unknown>;
}

/** Options of {@link WorkerLife}; the defaults are those of a page. */
export interface WorkerLifeOptions {
  /** `undefined`: Web Locks, or questions where there are none. Outside a browser: `events`, which Node sends. */
  readonly by?: 'lock' | 'questions' | 'events';
  readonly beat?: number;
}

/**
 * Notices that a worker has ended without an event: the browser took its memory, or it called `close()`.
 * The worker holds a Web Lock as long as it lives, and the page waits for that lock, which costs nothing and is noticed
 * at once. Pages without Web Locks (`http:`, other than localhost) ask the worker while a call waits: that is noticed
 * within 40 s of its last message. A timer that was frozen with its page asks again before it counts a silence.
 */
export class WorkerLife {
  /** The name of the lock, for the worker. */
  readonly lock: string | undefined;
  readonly #ask: () => void;
  readonly #died: () => void;
  readonly #beat: number | undefined;
  readonly #ended = new AbortController();
  #isHeard = false;
  #hasStarted = false;
  #silent = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ask: () => void, died: () => void, { by = usual(), beat = BEAT }: WorkerLifeOptions = {}) {
    this.#ask = ask;
    this.#died = died;
    if (by === 'lock') this.lock = `@prune/web ${Math.random()} ${performance.now()}`;
    if (by === 'questions') this.#beat = beat;
  }

  /** Any message of the worker. `holdsLock`: the one that says that it has the lock. */
  heard(holdsLock: boolean): void {
    this.#isHeard = true;
    this.#hasStarted = true;
    if (!holdsLock || this.lock === undefined) return;
    const { signal } = this.#ended;
    locks()
      ?.request(this.lock, { signal }, () => this.#died())
      .catch(() => {});
  }

  /** Calls wait for an answer, or none does. */
  waits(isWaiting: boolean): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#silent = 0;
    if (isWaiting && this.#beat !== undefined && !this.#ended.signal.aborted) this.#next();
  }

  /** The worker is ended on purpose. */
  end(): void {
    this.#ended.abort();
    this.waits(false);
  }

  #next(): void {
    this.#timer = setTimeout(() => {
      // A worker whose program does not load fails with an event; how long it loads, nobody knows.
      this.#silent = this.#isHeard || !this.#hasStarted ? 0 : this.#silent + 1;
      this.#isHeard = false;
      if (this.#silent >= SILENT_BEATS) {
        this.#died();
        return;
      }
      this.#ask();
      this.#next();
    }, this.#beat);
  }
}

/** Holds a lock until this worker ends. `held` is called once that is so. */
export function holdLock(name: string, held: () => void): void {
  const work = () => {
    held();
    return new Promise(() => {});
  };
  locks()
    ?.request(name, {}, work)
    .catch(() => {});
}

function locks(): LockManagerLike | undefined {
  return (globalThis as LockGlobals).navigator?.locks;
}

function usual(): 'lock' | 'questions' | 'events' {
  if (pageOrigin() === undefined) return 'events';
  return locks() === undefined ? 'questions' : 'lock';
}
