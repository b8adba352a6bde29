import { findPython, type Python } from '../../harness/python.js';

/**
 * A Python that has NNCodec, or the reason why there is none. It wants an older numpy than other things do, so it may have an environment of its own:
 * `PRUNE_NNCODEC_PYTHON`, else `PRUNE_PYTHON`, else `python3`.
 */
export function findNncodec(env: NodeJS.ProcessEnv = process.env): Promise<Python | { readonly missing: string }> {
  return findPython({ ...env, PRUNE_PYTHON: env.PRUNE_NNCODEC_PYTHON || env.PRUNE_PYTHON }, ['nncodec', 'numpy']);
}
