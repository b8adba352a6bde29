export { workerThreads } from './node/worker-threads.js';
