import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { checkAborted, PruneError } from '@prune/core';
import { openSource } from '@prune/core/node';

/** A UTF-8 file or pipe; `-` reads standard input. Throws `missing`, `io` or `corrupt` naming it, and `aborted`. */
export async function readText(path: string, signal?: AbortSignal): Promise<string> {
  const bytes = await (path === '-' ? standardInput(signal) : bytesOf(path, signal));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new PruneError('corrupt', { where: path, what: 'not UTF-8', cause });
  }
}

/** `readFile` would wait for the writer of a pipe in a thread, which the end of the process then waits for. */
async function bytesOf(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const source = await openSource(path, { signal });
  try {
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

async function standardInput(signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return await buffer(signal === undefined ? process.stdin : addAbortSignal(signal, process.stdin));
  } catch (cause) {
    checkAborted(signal);
    throw new PruneError('io', { where: '-', what: (cause as Error).message, cause });
  }
}
