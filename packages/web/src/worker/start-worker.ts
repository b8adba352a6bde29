import { PruneError } from '@prune/core';
import type { ModelWorker } from './model-worker.js';

type WorkerThreads = typeof import('node:worker_threads');

interface HostGlobals {
  readonly process?: { getBuiltinModule?(name: string): unknown };
}

/**
 * Starts `worker.js`, which lies beside this file once it is built: a module worker in browsers, which bundlers find by
 * the expression below; a thread in Node, which gives its modules without an import from 20.16 on.
 */
export function startWorker(): ModelWorker {
  const { process } = globalThis as HostGlobals;
  const node = process?.getBuiltinModule?.('node:worker_threads') as WorkerThreads | undefined;
  if (node !== undefined) return nodeWorker(node.Worker);
  if (typeof Worker !== 'undefined') return new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  throw new PruneError('unsupported', {
    where: 'openModel',
    what: 'there are no workers here',
    wanted: 'a browser, or Node 20.16 or later; loadModel of @prune/bert-infer works without workers',
  });
}

function nodeWorker(NodeWorker: WorkerThreads['Worker']): ModelWorker {
  const worker = new NodeWorker(new URL('./worker.js', import.meta.url));
  return {
    postMessage: (message) => worker.postMessage(message),
    addEventListener(type, listener) {
      if (type === 'message') worker.on('message', (data) => listener({ data }));
      else if (type === 'messageerror') worker.on('messageerror', () => listener({}));
      else {
        worker.on('error', ({ message }) => listener({ message }));
        worker.on('exit', (status) => listener({ message: `it ended with status ${status}` }));
      }
    },
    terminate: () => worker.terminate(),
    ref: () => worker.ref(),
    unref: () => worker.unref(),
  };
}
