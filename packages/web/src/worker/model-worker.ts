/**
 * A worker that runs `@prune/web/worker`: a `Worker` of the browser is one. Messages go both ways; `error` events say
 * that it failed.
 */
export interface ModelWorker {
  postMessage(message: unknown): void;
  addEventListener(
    type: 'message' | 'error' | 'messageerror',
    listener: (event: { readonly data?: unknown; readonly message?: string }) => void,
  ): void;
  terminate(): unknown;
  /** Keeps the process alive, in Node, while an answer is waited for. */
  ref?(): void;
  unref?(): void;
}
