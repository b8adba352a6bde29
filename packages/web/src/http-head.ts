import { checkAborted } from '@prune/core';
import { answerInTime } from './http/answer-in-time.js';
import type { HttpVersion } from './http/http-version.js';
import { PassingFailure } from './http/passing-failure.js';
import { Patience } from './http/patience.js';
import { RemoteFile } from './http/remote-file.js';
import { type HttpSourceOptions, httpTarget } from './http-source.js';
import type { UrlLike } from './resolved-url.js';

/** The beginning of a file on a server. */
export interface HttpHead {
  /** As many bytes as were asked for, or all of a shorter file. */
  readonly bytes: Uint8Array;
  /** `undefined` where the server does not say it. */
  readonly size: number | undefined;
  readonly version: HttpVersion | undefined;
}

/**
 * Fetches the first bytes of a file with one request, to find out whether it is the one that is known. A server that
 * sends all of the file in answer is not listened to any longer than that. The header `Range` is one that a browser
 * sends to another origin without a preflight. `undefined` where the answer does not say which bytes it has.
 * Throws what `httpSource` throws.
 */
export async function httpHead(
  url: string | UrlLike,
  length: number,
  options: HttpSourceOptions,
): Promise<HttpHead | undefined> {
  const { signal } = options;
  const { address, ...target } = httpTarget(url, options);
  checkAborted(signal);
  const file = new RemoteFile(address, { ...target, size: undefined, version: undefined });
  const patience = new Patience(target);
  const stop = signal ?? new AbortController().signal;
  const checkOpen = () => checkAborted(signal);
  for (;;) {
    const answer = await answerInTime(file, { start: 0, end: length }, patience, { stop, checkOpen });
    if (answer.kind === 'no-ranges') return undefined;
    if (answer.kind === 'empty') return { bytes: new Uint8Array(), size: 0, version: file.version };
    const bytes = new Uint8Array(length);
    let at = 0;
    try {
      while (at < length) {
        const chunk = await answer.body.next(patience.wait);
        if (chunk === undefined) break;
        const used = chunk.subarray(0, length - at);
        bytes.set(used, at);
        at += used.byteLength;
      }
      answer.body.cancel();
      return { bytes: bytes.subarray(0, at), size: file.size, version: file.version };
    } catch (error) {
      answer.body.cancel();
      checkOpen();
      if (!(error instanceof PassingFailure)) throw error;
      await patience.pause(error, stop);
      checkOpen();
    }
  }
}
