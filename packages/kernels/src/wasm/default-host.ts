import { startNodeWorker } from './start-node-worker.js';
import { type ThreadHost, WORKER_SOURCE } from './thread-host.js';
import { webWorkers } from './web-workers.js';

type WorkerThreads = typeof import('node:worker_threads');

interface HostGlobals {
  readonly process?: { getBuiltinModule?(name: string): unknown };
}

/**
 * Where threads come from when nobody says: workers of Node where it gives its modules without an import (from 20.16
 * and 22.3 on), which a bundler for browsers would not resolve; otherwise Web Workers; `undefined` where there is
 * neither.
 */
export function defaultHost(): ThreadHost | undefined {
  const { process } = globalThis as HostGlobals;
  const node = process?.getBuiltinModule?.('node:worker_threads') as WorkerThreads | undefined;
  if (node !== undefined) return { start: (start) => startNodeWorker(node.Worker, WORKER_SOURCE, start) };
  return typeof Worker === 'undefined' ? undefined : webWorkers();
}
