import { CHECK_MESSAGE, type ThreadHost, WEB_WORKER_SOURCE } from './thread-host.js';

/** What is used of a `Worker`, whose own type only programs for browsers have. */
export interface WebWorker {
  postMessage(message: unknown): void;
  terminate(): void;
  addEventListener(type: string, listener: (event: object) => void): void;
}

/** How long a worker may take to answer that it has started, in ms; on a busy machine it takes seconds. */
const PATIENCE_MS = 30_000;

/**
 * Web Workers. `origin` is the URL (a text, or a `URL`) of a copy of `@prune/kernels/worker`, or a function that starts
 * a worker with it. Without it workers start
 * from a blob, which a page's content-security policy may forbid.
 */
export function webWorkers(origin?: string | { readonly href: string } | (() => WebWorker)): ThreadHost {
  return {
    async start(start) {
      const { worker, ended } = await begin(origin, start);
      return {
        ended,
        async stop() {
          worker.terminate();
        },
      };
    },
    async whyNoThreads() {
      try {
        const { worker } = await begin(origin, CHECK_MESSAGE, PATIENCE_MS);
        worker.terminate();
        return undefined;
      } catch (error) {
        return `No worker starts here: ${(error as Error).message}.`;
      }
    },
  };
}

/**
 * Starts a worker, sends it a message and waits for its answer. Throws an error that names the policy where one forbids
 * it.
 */
async function begin(
  origin: Parameters<typeof webWorkers>[0],
  message: unknown,
  patience?: number,
): Promise<{ worker: WebWorker; ended: Promise<Error> }> {
  const policy = watchPolicy();
  const blob = origin === undefined ? blobUrl() : undefined;
  let worker: WebWorker | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    const started = typeof origin === 'function' ? origin() : new Worker(blob ?? (origin as string | URL));
    worker = started;
    // A page is not told when a worker ends, but when one fails. Nothing else ends a worker that the page does not
    // terminate.
    const ended = new Promise<Error>((resolve) => {
      started.addEventListener('error', (event) => {
        const { message: said } = event as { message?: string };
        // The report of a policy comes in a task of its own.
        setTimeout(() => resolve(new Error(said || (policy.fault(blob !== undefined) ?? silence(origin)))));
      });
      started.addEventListener('messageerror', () => resolve(new Error('a message of the worker cannot be read')));
    });
    const ready = new Promise<undefined>((resolve) => started.addEventListener('message', () => resolve(undefined)));
    const late = new Promise<Error>((resolve) => {
      if (patience === undefined) return;
      timer = setTimeout(() => resolve(new Error(`a worker gave no answer within ${patience / 1000} s`)), patience);
    });
    started.postMessage(message);
    const fault = await Promise.race([ready, ended, late]);
    if (fault !== undefined) throw fault;
    return { worker: started, ended };
  } catch (error) {
    worker?.terminate();
    throw error;
  } finally {
    clearTimeout(timer);
    policy.close();
    if (blob !== undefined) URL.revokeObjectURL(blob);
  }
}

function blobUrl(): string {
  return URL.createObjectURL(new Blob([WEB_WORKER_SOURCE], { type: 'text/javascript' }));
}

/** A worker that a policy forbids fails without a message; the policy is reported to the page. */
function watchPolicy() {
  let directive: string | undefined;
  const watch = (event: Event) => {
    const { effectiveDirective } = event as SecurityPolicyViolationEvent;
    if (effectiveDirective === 'worker-src') directive = effectiveDirective;
  };
  globalThis.addEventListener?.('securitypolicyviolation', watch);
  return {
    fault(isBlob: boolean): string | undefined {
      if (directive === undefined) return undefined;
      const remedy = isBlob
        ? 'it needs worker-src blob:, or a file that it allows and threadHost: webWorkers(url)'
        : 'it needs worker-src with the origin of the file';
      return `the content-security policy of this page forbids it by ${directive}; ${remedy}`;
    },
    close: () => globalThis.removeEventListener?.('securitypolicyviolation', watch),
  };
}

/** What a browser that gives no reason most likely means. */
function silence(origin: Parameters<typeof webWorkers>[0]): string {
  if (origin === undefined)
    return 'the browser gives no reason; a content-security policy without worker-src blob: is one';
  const which = typeof origin === 'function' ? 'its file' : String(origin);
  return `${which} cannot be loaded as a worker; it must be there, be served as JavaScript, and in an isolated page with Cross-Origin-Embedder-Policy`;
}
