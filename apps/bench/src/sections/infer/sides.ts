import type { Python } from '../../harness/python.js';
import type { PythonPeer } from '../../peers/find-python-peer.js';
import type { OtherKernels, SideSpec } from './side.js';
import { ONNXRUNTIME_INT8, OPENVINO, OURS, OURS_INT16, PYTORCH, withKernels } from './side-names.js';

/** The files of one model. */
export interface InferFiles {
  readonly packed: string;
  readonly fp32?: string;
  readonly int8?: string;
  /** The graph of standard operators. */
  readonly standard?: string;
  /** The checkpoint's folder, as transformers reads it. */
  readonly folder?: string;
  /** Where the peers of Node are installed; left out, they are not measured. */
  readonly peers?: string;
  /** Which runtimes Python has. */
  readonly python?: Readonly<Partial<Record<PythonPeer, Python>>>;
}

/** Those of the other kernels that are compared in both modes of attention. */
const IN_BOTH_MODES: readonly OtherKernels[] = ['wasm-wide', 'wasm-relaxed'];

/** Everything that is compared, by name. `others`: kernels of this machine beside those that are chosen by default. */
export function sidesOf(
  { packed, fp32, int8, standard, folder, peers, python = {} }: InferFiles,
  threads: number,
  others: readonly OtherKernels[] = [],
): Map<string, SideSpec> {
  const prune = { runtime: 'prune', file: packed, threads, kernels: 'auto' } as const;
  const sides = new Map<string, SideSpec>([
    [OURS, { ...prune, attention: 'float32' }],
    [OURS_INT16, { ...prune, attention: 'int16' }],
  ]);
  for (const kernels of others) {
    sides.set(withKernels(OURS, kernels), { ...prune, kernels, attention: 'float32' });
    if (IN_BOTH_MODES.includes(kernels))
      sides.set(withKernels(OURS_INT16, kernels), { ...prune, kernels, attention: 'int16' });
  }
  if (peers !== undefined) {
    const node = { runtime: 'onnxruntime-node', threads, peers } as const;
    const web = { runtime: 'onnxruntime-web', threads, peers } as const;
    if (int8) {
      sides.set(ONNXRUNTIME_INT8, { ...node, precision: 'int8', file: int8 });
      sides.set('onnxruntime-web, int8', { ...web, precision: 'int8', file: int8 });
    }
    if (fp32) {
      sides.set('onnxruntime-node, fp32', { ...node, precision: 'fp32', file: fp32 });
      sides.set('onnxruntime-web, fp32', { ...web, precision: 'fp32', file: fp32 });
    }
  }
  const { openvino, pytorch } = python;
  if (openvino && standard)
    sides.set(OPENVINO, { runtime: 'openvino', python: openvino.command, file: standard, threads });
  if (pytorch && folder) sides.set(PYTORCH, { runtime: 'pytorch', python: pytorch.command, file: folder, threads });
  return sides;
}
