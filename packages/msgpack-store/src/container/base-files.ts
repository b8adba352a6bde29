import { type ByteSource, isPruneError, PruneError, type RandomAccess } from '@prune/core';
import { hex } from './hex.js';
import type { Manifest } from './manifest.js';

/** Where a block lies in another file. */
export interface BlockPlace {
  readonly source: Required<RandomAccess>;
  readonly offset: number;
}

/** Opens the file that a container calls its base. `undefined`, and the error `missing`, say that it is not there. */
export type OpenBase = (name: string) => Promise<ByteSource | undefined>;

/** A base that is open: its own blocks. */
export interface BaseFile {
  readonly source: Required<RandomAccess>;
  readonly manifest: Manifest;
}

/** The bases of a container, each opened when a block of it is wanted. */
export interface BaseFiles {
  /** Throws `missing` for a base that cannot be found, `mismatch` for one that does not have the block. */
  find(number: number): Promise<BlockPlace>;
  close(): Promise<void>;
}

/** `read` reads what `openBase` has opened. `where` names the container. */
export function baseFiles(
  where: string,
  { blocks, bases }: Manifest,
  openBase: OpenBase | undefined,
  read: (source: ByteSource, name: string) => Promise<BaseFile>,
): BaseFiles {
  const opened = new Map<number, Promise<OpenBaseFile>>();
  let closed = false;

  async function open(base: number, block: number): Promise<OpenBaseFile> {
    const name = bases[base];
    const missing = (cause?: unknown) => {
      const wanted = openBase === undefined ? 'the option openBase' : `the file that block ${block} lies in`;
      return new PruneError('missing', { where, what: `base "${name}" is missing`, wanted, cause });
    };
    let source: ByteSource | undefined;
    try {
      source = await openBase?.(name);
    } catch (cause) {
      if (isPruneError(cause, 'missing')) throw missing(cause);
      const code = isPruneError(cause) ? cause.code : 'io';
      const said = isPruneError(cause) ? cause.what : String((cause as Error)?.message ?? cause);
      throw new PruneError(code, { where, what: `base "${name}" cannot be opened: ${said}`, cause });
    }
    if (source === undefined) throw missing();
    const file = await read(source, `${where}, base "${name}"`);
    const offsets = new Map<string, Place>();
    for (const { sha256, offset, length } of file.manifest.blocks) {
      if (sha256 !== undefined && offset !== undefined) offsets.set(hex(sha256), { offset, length });
    }
    if (closed) await file.source.close();
    return { source: file.source, offsets };
  }
  return {
    async find(number) {
      const { base, sha256, length } = blocks[number];
      const opening = opened.get(base!) ?? open(base!, number);
      opened.set(base!, opening);
      const { source, offsets } = await opening.catch((error) => {
        // Whoever asks again may find the base there.
        if (opened.get(base!) === opening) opened.delete(base!);
        throw error;
      });
      const digest = hex(sha256!);
      const found = offsets.get(digest);
      if (found?.length === length) return { source, offset: found.offset };
      const wanted = `a block with SHA-256 ${digest}`;
      throw new PruneError('mismatch', {
        where,
        what: `base "${bases[base!]}" is another file than the one that block ${number} was taken from`,
        got: found === undefined ? 'no such block' : `a block of ${found.length} bytes`,
        wanted: found === undefined ? wanted : `${length} bytes`,
      });
    },
    async close() {
      closed = true;
      for (const opening of opened.values()) {
        const file = await opening.catch(() => undefined);
        await file?.source.close();
      }
    },
  };
}

interface Place {
  readonly offset: number;
  readonly length: number;
}

interface OpenBaseFile {
  readonly source: Required<RandomAccess>;
  /** The own blocks of the base by their SHA-256. */
  readonly offsets: ReadonlyMap<string, Place>;
}
