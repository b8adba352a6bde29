export { hasWideKernels, wideKernels, workerThreads } from '@prune/kernels/node';
