import { isOtherOrigin } from '../http/page-origin.js';
import type { ModelWorker } from './model-worker.js';

/** The name of a worker that this file starts from itself. */
export const PLAIN_WORKER_NAME = '@prune/web';

/**
 * Starts the file that this code was bundled into, `dist/plain.js`, as a worker. Where it was loaded from another
 * origin, such as a CDN, from which a browser starts no worker, the worker is one of the page that imports it.
 */
export function startPlainWorker(): ModelWorker {
  const file = new URL(import.meta.url);
  if (!isOtherOrigin(file)) return new Worker(file, { type: 'module', name: PLAIN_WORKER_NAME });
  const program = new Blob([`import ${JSON.stringify(file.href)};`], { type: 'text/javascript' });
  const url = URL.createObjectURL(program);
  const worker = new Worker(url, { type: 'module', name: PLAIN_WORKER_NAME });
  // Its first message says that it has read the program.
  worker.addEventListener('message', () => URL.revokeObjectURL(url), { once: true });
  return worker;
}
