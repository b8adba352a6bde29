import { constants, createReadStream, open, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { basename } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { promisify } from 'node:util';
import type { RandomAccess } from '../../byte-sources/byte-source.js';
import { type ByteRange, readEachRange } from '../../byte-sources/read-each-range.js';
import { PruneError } from '../../errors/prune-error.js';
import { checkLimit, DEFAULT_LIMITS, type Limits } from '../../limits/limits.js';
import { checkPath } from '../check-path.js';
import { fileSource } from './file-source.js';

/** Options of {@link openSource}. */
export interface OpenSourceOptions {
  readonly limits?: Limits;
  readonly signal?: AbortSignal;
}

/** Bytes that are read from a pipe at a time, and kept as they came: no copy of the whole is made. */
const PIECE_BYTES = 2 ** 20;

/** The names of standard input. */
const STANDARD_INPUT = /^\/(dev\/stdin|dev\/fd\/0|proc\/self\/fd\/0)$/;

/**
 * A file as {@link fileSource} gives it, or a pipe or a device, which cannot be read by position: its bytes are read
 * once and held in memory, up to `limits.streamBytes`. Throws `missing`, `io`, `aborted`, and `limit` as soon as a
 * pipe has given more.
 */
export async function openSource(path: string, options: OpenSourceOptions = {}): Promise<Required<RandomAccess>> {
  checkPath(path);
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && isStream(found) ? readStream(path, found, options) : fileSource(path);
}

function isStream(found: Stats): boolean {
  return found.isFIFO() || found.isCharacterDevice() || found.isSocket();
}

async function readStream(path: string, found: Stats, { limits = DEFAULT_LIMITS, signal }: OpenSourceOptions) {
  const where = path;
  const pieces: Uint8Array[] = [];
  let size = 0;
  let piece = new Uint8Array();
  let filled = 0;
  try {
    for await (const chunk of await chunksOf(path, found, signal)) {
      checkLimit('too many bytes of a pipe', size + chunk.byteLength, limits.streamBytes, { where });
      // A pipe gives 64 KiB at a time and can give single bytes: each in an array of its own would take far more.
      for (let done = 0; done < chunk.byteLength; ) {
        if (filled === piece.byteLength) {
          piece = new Uint8Array(PIECE_BYTES);
          filled = 0;
          pieces.push(piece);
        }
        const part = chunk.subarray(done, done + piece.byteLength - filled);
        piece.set(part, filled);
        filled += part.byteLength;
        done += part.byteLength;
      }
      size += chunk.byteLength;
    }
  } catch (cause) {
    if (signal?.aborted) throw new PruneError('aborted', { where, what: 'stopped while reading', cause });
    if (cause instanceof PruneError) throw cause;
    throw new PruneError('io', { where, what: (cause as Error).message, cause });
  }
  const ranged = {
    async read(offset: number, length: number, scratch?: Uint8Array) {
      const end = Math.min(offset + length, size);
      const bytes = scratch?.subarray(0, Math.max(0, end - offset)) ?? new Uint8Array(Math.max(0, end - offset));
      for (let at = offset; at < end; ) {
        const number = Math.floor(at / PIECE_BYTES);
        const start = at - number * PIECE_BYTES;
        const part = pieces[number].subarray(start, Math.min(PIECE_BYTES, start + end - at));
        bytes.set(part, at - offset);
        at += part.byteLength;
      }
      return bytes;
    },
  };
  return {
    name: basename(path),
    size,
    ...ranged,
    readRanges: (ranges: readonly ByteRange[], aborted?: AbortSignal) => readEachRange(ranged, ranges, aborted),
    async close() {
      pieces.length = 0;
    },
  };
}

async function chunksOf(path: string, found: Stats, signal?: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  // A socket has no name that can be opened. Node gives its children sockets where shells give pipes.
  if (found.isSocket() && STANDARD_INPUT.test(path))
    return signal === undefined ? process.stdin : addAbortSignal(signal, process.stdin);
  // Reading a device is over at once, or a person types.
  if (!found.isFIFO()) return createReadStream(path, { highWaterMark: PIECE_BYTES, signal });
  // A thread that waits for the writer of a pipe cannot be called back, so the event loop waits instead. It does so for
  // a writer that is not there yet, too.
  const fd = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false, signal });
}
