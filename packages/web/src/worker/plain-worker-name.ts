/** The name of a worker that `dist/plain.js` starts. */
export const PLAIN_WORKER_NAME = '@prune/web';
