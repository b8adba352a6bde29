export { workerThreads } from '@prune/kernels/node';
