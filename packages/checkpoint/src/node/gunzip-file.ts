import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { checkLimit, type Limits, PruneError, type RandomAccess } from '@prune/core';
import { maxExpandedBytes } from '../max-expanded-bytes.js';
import { declaredSafetensorsBytes } from '../open-safetensors.js';
import { sniffFormat } from '../sniff-format.js';
import { type TemporaryFile, temporaryFile } from './temporary-file.js';

export interface GunzipOptions {
  readonly limits: Limits;
  /** Bytes that the file may inflate to. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  readonly temporaryFolder?: string;
}

const CHUNK_BYTES = 1 << 18;

/**
 * A gzipped checkpoint, inflated as a stream into an unlinked temporary file: memory holds a few chunks. What grows
 * past `maxBytes`, {@link maxExpandedBytes} or the size that a safetensors header declares, stops there. Nothing is
 * left behind when it fails. The source stays open. Throws `truncated`, `corrupt`, `limit`, `aborted`, `io`.
 */
export async function gunzipFile(
  source: RandomAccess,
  name: string,
  options: GunzipOptions,
): Promise<Required<RandomAccess>> {
  const { limits, signal } = options;
  const maxBytes = Math.min(options.maxBytes, maxExpandedBytes(source.size, options.limits));
  const file = await temporaryFile(name, options.temporaryFolder);
  // Kept apart from what pipeline() throws: Node 20 replaces a sink's own error by an AbortError (and the sink sees an AbortError when
  // the gzip stream fails).
  let failure: unknown;
  const write = async (chunks: AsyncIterable<Uint8Array>) => {
    let declared: number | undefined;
    try {
      for await (const chunk of chunks) {
        checkLimit('gzipped checkpoint is too large (bytes)', file.size + chunk.byteLength, maxBytes);
        await file.append(chunk);
        declared ??= await declaredBytes(file, limits);
        if (declared !== undefined && file.size > declared) {
          throw new PruneError('corrupt', {
            what: 'inflates to more bytes than its header declares',
            wanted: declared,
          });
        }
      }
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  try {
    await pipeline(chunksOf(source), createGunzip({ chunkSize: CHUNK_BYTES }), write, { signal });
    return file;
  } catch (error) {
    await file.close().catch(() => {});
    throw gunzipError(isZlibError(error) ? error : (failure ?? error), signal);
  }
}

async function* chunksOf(source: RandomAccess): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.size; at += CHUNK_BYTES) {
    yield await source.read(at, Math.min(CHUNK_BYTES, source.size - at));
  }
}

async function declaredBytes(file: TemporaryFile, limits: Limits): Promise<number | undefined> {
  return (await sniffFormat(file)) === 'safetensors'
    ? declaredSafetensorsBytes(file, limits)
    : Number.POSITIVE_INFINITY;
}

function gunzipError(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return new PruneError('aborted', { what: 'stopped while inflating', cause: error });
  if (!isZlibError(error)) return error;
  if (error.code === 'Z_BUF_ERROR')
    return new PruneError('truncated', { what: 'gzip stream ends too early', cause: error });
  return new PruneError('corrupt', { what: `gzip stream: ${error.message}`, cause: error });
}

function isZlibError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith('Z_');
}
