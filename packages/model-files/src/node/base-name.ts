import { dirname, isAbsolute, relative, sep } from 'node:path';
import { PruneError } from '@prune/core';
import { isUrl } from './remote-files.js';

/**
 * How the file `output` calls its base: by its URL, or by the path from its own folder, so that both can be moved
 * together. Throws `unsupported` for a file on another drive.
 */
export function baseName(output: string, base: string): string {
  if (isUrl(base)) return base;
  const path = relative(dirname(output), base);
  if (!isAbsolute(path)) return path.split(sep).join('/');
  throw new PruneError('unsupported', {
    where: base,
    what: 'a base on another drive',
    wanted: 'one beside the output',
  });
}
