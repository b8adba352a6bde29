import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseJson } from '../../byte-sources/parse-json.js';
import { checkLimit, DEFAULT_LIMITS } from '../../limits/limits.js';
import { writingError } from './writing-error.js';

/** The small files of a folder that is being written to. Nothing is kept: each call looks again. */
export interface FolderFiles {
  names(): Promise<readonly string[]>;
  /**
   * The bytes of a file, `undefined` when it is not there. Throws `limit` for one that is larger than the files that
   * travel with a model.
   */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Whether a file is there that says the same: byte for byte, or, in a `.json` file, the same JSON. */
  says(name: string, bytes: Uint8Array): Promise<boolean>;
}

/** The files of the folder at `folder`. Throws `io` with the path. */
export function folderFiles(folder: string): FolderFiles {
  async function sizeOf(path: string): Promise<number | undefined> {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw writingError(path, error);
    });
    return found?.isFile() ? found.size : undefined;
  }
  async function read(name: string) {
    const path = join(folder, name);
    const size = await sizeOf(path);
    if (size === undefined) return undefined;
    checkLimit('file is too large (bytes)', size, DEFAULT_LIMITS.metadataBytes, { where: path });
    return readFile(path).catch((error) => {
      throw writingError(path, error);
    });
  }
  return {
    names: () =>
      readdir(folder).catch((error) => {
        throw writingError(folder, error);
      }),
    read,
    async says(name, bytes) {
      const size = await sizeOf(join(folder, name));
      if (size === undefined || size > DEFAULT_LIMITS.metadataBytes) return false;
      const old = await read(name);
      if (old === undefined || Buffer.compare(old, bytes) === 0) return old !== undefined;
      return name.endsWith('.json') && sameJson(parsed(old), parsed(bytes));
    },
  };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseJson(bytes, '');
  } catch {
    return undefined;
  }
}

function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a !== undefined && a === b;
  const [x, y] = [Object.entries(a), new Map(Object.entries(b))];
  return (
    Array.isArray(a) === Array.isArray(b) &&
    x.length === y.size &&
    x.every(([key, value]) => y.has(key) && sameJson(value, y.get(key)))
  );
}
