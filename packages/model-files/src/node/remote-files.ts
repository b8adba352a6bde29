import { dirname, join } from 'node:path';
import { PruneError, type RandomAccess } from '@prune/core';
import { fileSource } from '@prune/core/node';
import type { OpenBase } from '@prune/msgpack-store';
import { basesBeside } from '@prune/msgpack-store/node';

/** Opens the file at an `http:` or `https:` URL: `httpSource` of `@prune/web` does. */
export type OpenUrl = (url: string, options: { readonly signal?: AbortSignal }) => Promise<Required<RandomAccess>>;

/** How files that are not on this machine are opened. */
export interface RemoteOptions {
  /**
   * Opens URLs: models, and bases that a file names by URL, whoever made it. Default: none is opened, `unsupported`.
   */
  readonly openUrl?: OpenUrl;
  readonly signal?: AbortSignal;
}

/** Whether a path is the URL of a file on a server. */
export function isUrl(path: string): boolean {
  return /^https?:\/\//i.test(path);
}

/** The file at a path or URL, as bytes. Throws `unsupported` for a URL without `openUrl`. */
export async function openFile(path: string, { openUrl, signal }: RemoteOptions): Promise<Required<RandomAccess>> {
  if (!isUrl(path)) return fileSource(path);
  if (openUrl !== undefined) return openUrl(path, { signal });
  throw new PruneError('unsupported', { where: path, what: 'a URL', wanted: 'a file, or the option openUrl' });
}

/** Opens the bases of the file at a path or URL: beside it, or where they are named by URL. */
export function basesOf(file: string, options: RemoteOptions): OpenBase {
  const beside = basesBeside(file);
  return async (name) => {
    const address = baseAddress(file, name);
    return isUrl(address) && options.openUrl !== undefined ? openFile(address, options) : beside(name);
  };
}

/** Where the base of a file lies: a URL, or a path. */
export function baseAddress(file: string, name: string): string {
  if (isUrl(name)) return name;
  if (isUrl(file)) return URL.canParse(name, file) ? new URL(name, file).href : name;
  return join(dirname(file), name);
}
