import { findPython, type Python } from '../harness/python.js';

/** Runtimes that Python runs beside ours, with the modules that each needs. */
export const PYTHON_PEERS = {
  openvino: ['openvino', 'numpy'],
  pytorch: ['torch', 'transformers', 'numpy'],
} as const;

/** Name of such a runtime. */
export type PythonPeer = keyof typeof PYTHON_PEERS;

/**
 * The Python at `PRUNE_PYTHON`, or `python3`, if it has the runtime; otherwise the reason why it is left out, as a
 * sentence.
 */
export function findPythonPeer(
  peer: PythonPeer,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Python | { readonly missing: string }> {
  return findPython(env, PYTHON_PEERS[peer]);
}
