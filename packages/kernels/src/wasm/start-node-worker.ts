import type { Worker, WorkerOptions } from 'node:worker_threads';
import type { Thread, ThreadStart } from './thread-host.js';

/**
 * Starts a worker with this program, which posts a message when it is ready; its event loop has to have begun by then.
 * It does not keep the process alive. The class is handed in, so that nothing of Node is imported for browsers.
 */
export async function startNodeWorker(
  NodeWorker: typeof Worker,
  program: string,
  start: ThreadStart,
  options: WorkerOptions = {},
): Promise<Thread> {
  const worker = new NodeWorker(program, { ...options, eval: true, workerData: start });
  const ended = new Promise<unknown>((resolve) => {
    // `on`: Node ends at an error that nobody listens for.
    worker.on('error', (error) => resolve(error ?? new Error('the worker threw nothing')));
    worker.on('messageerror', resolve);
    worker.on('exit', (status) => resolve(new Error(`the worker ended with status ${status}`)));
  });
  const ready = new Promise<undefined>((resolve) => worker.once('message', () => resolve(undefined)));
  const fault = await Promise.race([ready, ended]);
  if (fault !== undefined) {
    await worker.terminate();
    throw fault;
  }
  worker.unref();
  const isAlive = () => {
    // Events would have to wait; this Node answers from the state of the thread. A loop that runs has been active for
    // some time. Of a thread that has ended Node knows no loop, so that it gives 0 for both, or -1 for the idle time
    // if it has answered before.
    const { idle, active } = worker.performance.eventLoopUtilization();
    return idle >= 0 && active > 0;
  };
  return {
    ended,
    isAlive: knowsLoops(worker) ? isAlive : undefined,
    async stop() {
      await worker.terminate();
    },
  };
}

/** Deno's workers do not have this, and Bun's write a warning to stderr that it is not implemented. */
function knowsLoops({ performance }: Worker): boolean {
  return typeof performance?.eventLoopUtilization === 'function' && !('Bun' in globalThis);
}
