import { addAbortSignal } from 'node:stream';
import { checkAborted, DEFAULT_LIMITS, isPruneError, PruneError } from '@prune/core';
import { openSource } from '@prune/core/node';

/** How a text is read. */
export interface ReadTextOptions {
  /** Most MiB of the text: the flag `--max-text-size`, which the error names where it is given. */
  readonly maxTextSize?: number;
  readonly signal?: AbortSignal;
}

/**
 * Most MiB of a text where nothing else is said. SQuAD 2.0's training file has 42 MB, and parsed JSON can take 20 times
 * its bytes, so that a larger file can take more memory than Node has by default.
 */
export const DEFAULT_MAX_TEXT_SIZE = 64;

const MIB = 2 ** 20;

/**
 * A UTF-8 file or pipe; `-` reads standard input. Throws `missing`, `io`, `corrupt` or `limit` naming it, and
 * `aborted`.
 * A pipe is `limit` as soon as it has given too much.
 */
export async function readText(path: string, options: ReadTextOptions = {}): Promise<string> {
  const bytes = await (path === '-' ? standardInput(options) : bytesOf(path, options));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_STRING_TOO_LONG') {
      throw new PruneError('corrupt', { where: path, what: 'not UTF-8', cause });
    }
    const got = `${bytes.byteLength} bytes`;
    throw new PruneError('limit', {
      where: path,
      what: 'too long for one string',
      got,
      wanted: 'smaller files',
      cause,
    });
  }
}

/** `readFile` would wait for the writer of a pipe in a thread, which the end of the process then waits for. */
async function bytesOf(path: string, options: ReadTextOptions): Promise<Uint8Array> {
  const { signal, maxTextSize = DEFAULT_MAX_TEXT_SIZE } = options;
  const limits = { ...DEFAULT_LIMITS, streamBytes: maxTextSize * MIB };
  const source = await openSource(path, { limits, signal }).catch((error) => {
    throw isPruneError(error, 'limit') ? tooLarge(path, undefined, options, error) : error;
  });
  try {
    if (source.size > limits.streamBytes) throw tooLarge(path, source.size, options);
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

async function standardInput(options: ReadTextOptions): Promise<Uint8Array> {
  const { signal, maxTextSize = DEFAULT_MAX_TEXT_SIZE } = options;
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of signal === undefined ? process.stdin : addAbortSignal(signal, process.stdin)) {
      size += piece.byteLength;
      if (size > maxTextSize * MIB) throw tooLarge('-', undefined, options);
      pieces.push(piece);
    }
  } catch (cause) {
    checkAborted(signal);
    if (isPruneError(cause)) throw cause;
    throw new PruneError('io', { where: '-', what: (cause as Error).message, cause });
  }
  return Buffer.concat(pieces);
}

/** `size` is not known of what comes through a pipe. */
function tooLarge(where: string, size: number | undefined, { maxTextSize }: ReadTextOptions, cause?: unknown) {
  const most = maxTextSize ?? DEFAULT_MAX_TEXT_SIZE;
  const got = size === undefined ? `more than ${most} MiB` : `${(size / MIB).toFixed(1)} MiB`;
  const wanted = `at most ${most} MiB${maxTextSize === undefined ? '' : ', or a larger --max-text-size'}`;
  return new PruneError('limit', { where, what: 'the text is too large', got, wanted, cause });
}
