import { dirname, isAbsolute, relative, sep } from 'node:path';
import { PruneError } from '@prune/core';

/**
 * How the file `output` calls its base: by the path from its folder, so that both can be moved together. Throws
 * `unsupported` for a URL, and for a file on another drive.
 */
export function baseName(output: string, base: string): string {
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(base)) {
    throw new PruneError('unsupported', { where: base, what: 'a base that is a URL', wanted: 'a .prune file' });
  }
  const path = relative(dirname(output), base);
  if (!isAbsolute(path)) return path.split(sep).join('/');
  throw new PruneError('unsupported', {
    where: base,
    what: 'a base on another drive',
    wanted: 'one beside the output',
  });
}
