import { isPruneError, PruneError } from '@prune/core';
import { instantiateKernels } from './instantiate-kernels.js';
import { CONTROL, LAST_JOB, PLAN, type Plan, SCRATCH } from './layout.js';
import type { Thread, ThreadHost } from './thread-host.js';
import { writeStruct } from './write-struct.js';

/** Where a crew's threads come from. */
export interface CrewTarget {
  /** Compiled for shared memory where there is more than one thread. */
  readonly module: WebAssembly.Module;
  /** How many threads compute, the calling one included. */
  readonly threads: number;
  readonly host: ThreadHost | undefined;
  /** See {@link LOOKS}. */
  readonly looks?: number;
}

/**
 * Looks, 0.1 s apart, that find no step of any thread before a thread counts as dead. A step is at most 16 rows of a
 * matrix for 32 tokens, or 16 queries of one head, so it stays short however long the pass is. Looks are counted rather
 * than time, so that a process that was stopped, or a machine that slept, finds its threads where it left them.
 */
const LOOKS = 600;

interface Exports {
  run(thread: number): void;
  abandon(thread: number): boolean;
}

/**
 * The threads that compute in one memory. Nothing tells the calling thread, while it waits for the others in
 * WebAssembly, that one of them died: no event arrives. So it looks after them every 0.1 s. How long a computation
 * takes is never a reason to give it up: either the host knows that a thread has ended, or no thread makes steps.
 *
 * After a death the crew is `lost`, for good: threads that still run may go on writing to its memory, whatever its
 * words say. Whoever uses it goes on with a new crew in a new memory.
 */
export class Crew {
  readonly #target: CrewTarget;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  readonly #workers: Thread[] = [];
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #lost = false;
  /** The worker whose end its host reported first. */
  #ended: number | undefined;
  #looks = 0;
  #steps = 0;
  #plan: Pick<Plan, 'scratch' | 'scratchStride'> = { scratch: 0, scratchStride: 0 };

  constructor(target: CrewTarget, memory: WebAssembly.Memory) {
    this.#target = target;
    this.#memory = memory;
    this.#exports = instantiateKernels(target.module, memory, () => this.#watch()) as unknown as Exports;
  }

  /** How many threads compute: all once all are there, until then the calling one alone, with the same bits. */
  get threads(): number {
    return this.#workers.length === this.#target.threads - 1 ? this.#target.threads : 1;
  }

  /** Whether a thread died. */
  get lost(): boolean {
    this.#lost ||= this.#abandonedBy() !== undefined || this.#firstDead() !== undefined;
    return this.#lost;
  }

  /**
   * Starts the workers that are missing, unless that is under way. Throws `io` when one does not start, `limit` without
   * the memory.
   */
  start(): Promise<void> {
    if (this.threads === this.#target.threads) return Promise.resolve();
    this.#starting ??= this.#startWorkers().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** Computes a job. Throws `io` when a thread dies in it, or has died since the pass began. */
  run(plan: Plan): void {
    writeStruct(new DataView(this.#memory.buffer), 0, PLAN, plan);
    this.#plan = plan;
    this.#looks = 0;
    if (plan.threads > 1) this.#tell();
    this.#exports.run(0);
  }

  /** Ends the workers, also those that are just starting; resolves when they have ended. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopWorkers();
    return this.#stopping;
  }

  async #startWorkers(): Promise<void> {
    const { module, threads, host } = this.#target;
    while (this.#workers.length < threads - 1 && this.#stopping === undefined) {
      const index = this.#workers.length + 1;
      try {
        const worker = await host!.start({ module, memory: this.#memory, index });
        this.#workers.push(worker);
        void worker.ended?.then(() => {
          this.#ended ??= index;
          this.#abandon();
        });
      } catch (cause) {
        throw isPruneError(cause) ? cause : startError(index, threads, cause);
      }
    }
  }

  async #stopWorkers(): Promise<void> {
    if (this.#target.threads > 1) this.#tell(LAST_JOB);
    await this.#starting?.catch(() => {});
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  /** The next job for the workers, or their end. */
  #tell(job?: typeof LAST_JOB): void {
    const word = this.#word('job');
    if (job === undefined) Atomics.store(word, 0, (Atomics.load(word, 0) + 1) & 0x7fffffff);
    else Atomics.store(word, 0, job);
    Atomics.notify(word, 0);
  }

  #watch(): void {
    this.#checkThreads();
    const steps = this.#countSteps();
    if (steps !== this.#steps) this.#looks = 0;
    this.#steps = steps;
    const { looks = LOOKS } = this.#target;
    if (++this.#looks > looks) throw this.#lose(`no thread has made a step in ${looks} looks 0.1 s apart`);
  }

  #checkThreads(): void {
    const dead = this.#abandonedBy() ?? this.#firstDead();
    if (dead !== undefined) throw this.#lose(`thread ${dead} of ${this.#target.threads} died`);
  }

  #lose(got: string): PruneError {
    this.#abandon();
    return new PruneError('io', {
      where: 'kernels',
      what: 'a thread was lost while an encoder computed',
      got,
      wanted: `${this.#target.threads} threads; the next pass starts new ones`,
    });
  }

  /** The threads that still run give up. */
  #abandon(): void {
    this.#lost = true;
    this.#exports.abandon(0);
  }

  /** The worker that gave the memory up because it failed. */
  #abandonedBy(): number | undefined {
    const index = Atomics.load(this.#word('abandonedBy'), 0) - 1;
    return index > 0 ? index : undefined;
  }

  /** The first worker whose host knows that it has ended. */
  #firstDead(): number | undefined {
    if (this.#ended !== undefined) return this.#ended;
    const index = this.#workers.findIndex((worker) => worker.isAlive?.() === false);
    return index < 0 ? undefined : index + 1;
  }

  #countSteps(): number {
    const { scratch, scratchStride } = this.#plan;
    const words = new DataView(this.#memory.buffer);
    let sum = 0;
    for (let thread = 0; thread < this.#target.threads; thread++) {
      sum += words.getInt32(scratch + thread * scratchStride + SCRATCH.fields.steps.at, true);
    }
    return sum;
  }

  #word(name: keyof typeof CONTROL.fields): Int32Array {
    return new Int32Array(this.#memory.buffer, CONTROL.fields[name].at, 1);
  }
}

function startError(index: number, threads: number, cause: unknown): PruneError {
  const isMemory = cause instanceof RangeError || (cause as { code?: string })?.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return new PruneError(isMemory ? 'limit' : 'io', {
    where: 'kernels',
    what: `thread ${index} of ${threads} did not start`,
    got: cause instanceof Error ? cause.message : String(cause),
    cause,
  });
}
