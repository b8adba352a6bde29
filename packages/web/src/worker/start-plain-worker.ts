import { isOtherOrigin } from '../http/page-origin.js';
import type { ModelWorker } from './model-worker.js';
import { PLAIN_WORKER_NAME } from './plain-worker-name.js';

/**
 * Starts `dist/plain-worker.js`, which lies beside the file that this code was bundled into. Where that was loaded from
 * another origin, such as a CDN, from which a browser starts no worker, the worker is one of the page that imports it.
 */
export function startPlainWorker(): ModelWorker {
  const file = new URL('./plain-worker.js', import.meta.url);
  if (!isOtherOrigin(file)) return new Worker(file, { type: 'module', name: PLAIN_WORKER_NAME });
  const program = new Blob([`import ${JSON.stringify(file.href)};`], { type: 'text/javascript' });
  const url = URL.createObjectURL(program);
  const worker = new Worker(url, { type: 'module', name: PLAIN_WORKER_NAME });
  // Its first message says that it has read the program.
  worker.addEventListener('message', () => URL.revokeObjectURL(url), { once: true });
  return worker;
}
