export { nativeKernels } from './node/native-kernels.js';
export { nodeEngine } from './node/node-engine.js';
export { hasWideKernels, wideKernels } from './node/wide-kernels.js';
export { workerThreads } from './node/worker-threads.js';
