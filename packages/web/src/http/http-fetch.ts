/** What {@link HttpFetch} is called with. */
export interface HttpRequest {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

/** What {@link HttpFetch} gives: the part of a `Response` that is used here. */
export interface HttpResponse {
  readonly status: number;
  /** The address after all redirects. */
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  readonly body: HttpBody | null;
}

/** A stream of bytes: the part of a `ReadableStream` that is used here. */
export interface HttpBody {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array }>;
    cancel(): Promise<unknown>;
  };
}

/**
 * What sends requests: `fetch`, or a function that calls it with more options (`credentials`, `cache`). Our own types,
 * because programs for Node often leave out the DOM library, which has those of `fetch`.
 */
export type HttpFetch = (url: string, request: HttpRequest) => Promise<HttpResponse>;
