import { PruneError } from '@prune/core';
import type { Ready, Request, Response, SideSpec, Work } from './side.js';
import { startSide } from './start-side.js';

/**
 * A runtime in a process of its own. Between two questions it is stopped, so that its threads do not spin beside the
 * others.
 */
export interface ForkedSide {
  readonly name: string;
  readonly ready: Ready;
  logits(work: Work): Promise<readonly number[]>;
  /** Seconds of each of `runs` passes, one before them not counted. */
  time(work: Work, runs: number): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** Windows has no way to stop a process. */
const CAN_PAUSE = process.platform !== 'win32';

/** Starts a side and waits until its model is loaded. Throws `io` with what it says when it cannot. */
export async function forkSide(name: string, spec: SideSpec): Promise<ForkedSide> {
  const { child, send, onResponse } = startSide(spec);
  let settle: ((response: Response) => void) | undefined;
  let fail: (error: PruneError) => void = () => {};
  let end: PruneError | undefined;
  const ended = new Promise<void>((resolve) => {
    const stop = (got: string) => {
      end = new PruneError('io', { where: name, what: 'the process ended', got });
      fail(end);
      resolve();
    };
    child.once('exit', (code, signal) => stop(signal ?? String(code)));
    child.once('error', (error) => stop(error.message));
  });
  onResponse((response) => settle?.(response));
  const next = () =>
    new Promise<Response>((resolve, reject) => {
      if (end !== undefined) reject(end);
      fail = reject;
      settle = (response) => {
        if ('error' in response) reject(new PruneError('io', { where: name, what: response.error }));
        else resolve(response);
      };
    });
  const pause = () => CAN_PAUSE && child.kill('SIGSTOP');
  const close = async () => {
    if (CAN_PAUSE) child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  };
  const ask = async (request: Request): Promise<Response> => {
    if (CAN_PAUSE) child.kill('SIGCONT');
    const response = next();
    send(request);
    try {
      return await response;
    } finally {
      pause();
    }
  };
  try {
    const response = await next();
    pause();
    if (!('ready' in response)) throw new PruneError('io', { where: name, what: 'said something else than ready' });
    return {
      name,
      ready: response.ready,
      async logits(work) {
        const answer = await ask({ ask: 'logits', work });
        return 'logits' in answer ? answer.logits : [];
      },
      async time(work, runs) {
        const answer = await ask({ ask: 'time', work, runs });
        return 'seconds' in answer ? answer.seconds : [];
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
