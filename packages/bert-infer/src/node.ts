export { hasWideKernels, nativeKernels, nodeEngine, wideKernels, workerThreads } from '@prune/kernels/node';
