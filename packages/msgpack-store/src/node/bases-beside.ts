import { dirname, join } from 'node:path';
import { PruneError } from '@prune/core';
import { fileSource } from '@prune/core/node';
import type { OpenBase } from '../container/base-files.js';

/**
 * Opens the bases of the file at `path`: each name is a path from the file's folder, with `/` between its parts. Throws
 * `unsupported` for a URL and for an absolute path, because whoever made the file chose the name; the option `openBase`
 * opens what the caller allows.
 */
export function basesBeside(path: string): OpenBase {
  return async (name) => fileSource(join(dirname(path), relativePath(name)));
}

function relativePath(name: string): string {
  const isUrl = /^[a-z][a-z\d+.-]+:/i.test(name);
  if (!isUrl && !/^[/\\]|^[a-z]:|\\/i.test(name)) return name;
  throw new PruneError('unsupported', {
    what: isUrl ? 'a base that is a URL' : 'a base that is not a path from the file',
    got: name,
    wanted: 'a path from the folder of the file, or the option openBase',
  });
}
