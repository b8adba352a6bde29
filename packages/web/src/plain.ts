import type { cachedSource as cached } from './cached-source.js';
import type { httpSource as http } from './http-source.js';
import { openModel as openInWorker } from './open-model.js';
import { startPlainWorker } from './worker/start-plain-worker.js';

// The package for pages without a bundler, dist/plain.js: what runs in the page. It is small, because the page cannot
// react while the browser parses it: 75 ms were seen with everything in one file. The rest is dist/plain-worker.js.

export { blobSource } from './blob-source.js';
export { DEFAULT_HTTP_SOURCE_OPTIONS } from './http-source.js';
export { DEFAULT_CACHE_NAME } from './open-model.js';

export const openModel: typeof openInWorker = (from, options) =>
  openInWorker(from, { ...options, worker: options?.worker ?? startPlainWorker });

/** Few pages read a file without a model, so this comes with the file of the worker. */
export const httpSource: typeof http = async (...given) => (await rest()).httpSource(...given);
export const cachedSource: typeof cached = async (...given) => (await rest()).cachedSource(...given);

const rest = () => import('./plain-worker.js');
