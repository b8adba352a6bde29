import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type ByteSink, type ModelMetadata, PruneError, type TensorStoreWriter } from '@prune/core';
import { atomicFile, refuseExisting } from '@prune/core/node';
import { MODULES_FILE, metadataFiles, PRUNE_FILE } from '../metadata-files.js';
import { checkWritten } from '../write/check-written.js';
import type { H5WriteOptions } from '../write/defaults.js';
import { type H5Writing, writeH5 } from '../write/write-h5.js';
import { hostBytes } from './host-bytes.js';
import { nodeDeflate } from './node-deflate.js';
import { nodeInflate, nodeInflateBeside } from './node-inflate.js';

/** Options of {@link createH5File}. */
export interface CreateH5FileOptions extends H5WriteOptions {
  /** Replace the file that is there, and files beside it (config.json, vocab.txt, ...) that say something else. Default false: refuse, naming the file. */
  readonly force?: boolean;
}

/**
 * Starts an HDF5 file in the notebook's layout at `path`. It, and the files beside it, appear when `finish` succeeds: each is written under a temporary
 * name in the same folder and renamed, the HDF5 file last, after every element of it has been read back.
 *
 * A file beside it that exists is kept when it says the same (JSON is compared as JSON). When it says something else, `finish` throws `mismatch` and
 * writes nothing, unless `force` is set; `metadata.json` and `prune.json` belong to the HDF5 file, and are replaced, or removed, with it.
 */
export async function createH5File(path: string, options: CreateH5FileOptions = {}): Promise<TensorStoreWriter> {
  const absolute = resolve(path);
  const folder = dirname(absolute);
  await refuseExisting(absolute, options.force);
  const replacing = existsSync(absolute);
  const sink = await atomicFile(absolute);
  const sinks: ByteSink[] = [];
  let open = true;
  let writing: H5Writing | undefined;

  async function abort() {
    open = false;
    await writing?.stop();
    for (const each of [...sinks, sink]) await each.abort();
  }
  function wantOpen() {
    if (!open) throw new PruneError('invalid-argument', { where: path, what: 'the writer is finished or aborted' });
  }
  /** Writes what has to change beside the file, under temporary names; returns what has to go. */
  async function writeBeside(files: ReadonlyMap<string, Uint8Array>): Promise<string[]> {
    const stale: string[] = [];
    for (const name of new Set([...files.keys(), MODULES_FILE, PRUNE_FILE])) {
      const target = join(folder, name);
      const bytes = files.get(name);
      const old = await readIfThere(target);
      if (bytes === undefined ? old === undefined : old !== undefined && saysTheSame(name, old, bytes)) continue;
      const own = replacing && (name === MODULES_FILE || name === PRUNE_FILE);
      if (old !== undefined && !own && options.force !== true) {
        const what = bytes === undefined ? 'exists, and this model has none' : 'exists and says something else';
        throw new PruneError('mismatch', { where: target, what, wanted: 'another folder, or force' });
      }
      if (bytes === undefined) {
        stale.push(target);
        continue;
      }
      const beside = await atomicFile(target);
      sinks.push(beside);
      await beside.write(bytes);
    }
    return stale;
  }

  try {
    writing = await writeH5(sink, path, options, nodeDeflate);
  } catch (error) {
    await abort();
    throw error;
  }
  const { entries, put, finish } = writing;
  return {
    async put(name, value) {
      wantOpen();
      await put(name, value);
    },
    async finish(metadata: ModelMetadata) {
      wantOpen();
      const files = await metadataFiles(metadata, path);
      if (files.has(basename(absolute))) {
        throw new PruneError('invalid-argument', { where: path, what: 'the name is taken by a file beside it' });
      }
      const stale = await writeBeside(files);
      await finish();
      const { file, close } = hostBytes(sink.temporaryPath, path);
      try {
        await checkWritten(file, { where: path, inflate: nodeInflate, inflateBeside: nodeInflateBeside }, entries);
      } finally {
        close();
      }
      for (const each of [...sinks, sink]) await each.commit();
      for (const target of stale) await rm(target, { force: true });
      open = false;
    },
    async abort() {
      if (open) await abort();
    },
  };
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  return readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new PruneError('io', { where: path, what: cause.message, cause });
  });
}

function saysTheSame(name: string, a: Uint8Array, b: Uint8Array): boolean {
  if (Buffer.compare(a, b) === 0) return true;
  return name.endsWith('.json') && sameJson(parsed(a), parsed(b));
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
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
