import type { OtherKernels } from './side.js';

/** The dense int8 runtime of the machine: what ours is held against. */
export const ONNXRUNTIME_INT8 = 'onnxruntime-node, int8';

/** The dense int8 runtimes of Python. */
export const OPENVINO = 'OpenVINO, int8';
export const PYTORCH = 'PyTorch, int8';

/** Ours with the kernels that are chosen by default, in the mode that computes in float32 between the Linears. */
export const OURS = 'prune, float32 attention';

/** The same with attention in integers. */
export const OURS_INT16 = 'prune, int16 attention';

/** A side of ours with other kernels, which give the same bits. */
export function withKernels(side: string, kernels: OtherKernels): string {
  return `${side}, ${kernels}`;
}
