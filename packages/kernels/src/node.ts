export { hasWideKernels, wideKernels } from './node/wide-kernels.js';
export { workerThreads } from './node/worker-threads.js';
