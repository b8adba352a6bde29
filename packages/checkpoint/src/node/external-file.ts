import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PruneError } from '@prune/core';

/**
 * The path of a file of external data beside an ONNX model. A link may lead only to where the model itself is, as in
 * the cache of Hugging Face, whose snapshots link every file: otherwise a model could name any file of the reader's.
 * Throws `missing`, `io`, and `unsupported` for a link out of the folder.
 */
export async function externalFile(model: string, file: string): Promise<string> {
  const path = join(dirname(model), file);
  const [real, realModel, realFolder] = await Promise.all([resolved(path), resolved(model), resolved(dirname(model))]);
  if ([dirname(realModel), realFolder].includes(dirname(real))) return path;
  throw new PruneError('unsupported', {
    where: path,
    what: 'external data is a link out of its folder',
    wanted: 'a file beside the model',
  });
}

async function resolved(path: string): Promise<string> {
  return realpath(path).catch((cause: NodeJS.ErrnoException) => {
    throw new PruneError(cause.code === 'ENOENT' ? 'missing' : 'io', {
      where: path,
      what: cause.code === 'ENOENT' ? 'no such file of external data' : cause.message,
      cause,
    });
  });
}
