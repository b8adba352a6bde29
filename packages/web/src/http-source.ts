import { checkAborted, DEFAULT_LIMITS, type Limits, type Progress, PruneError, type RandomAccess } from '@prune/core';
import type { HttpFetch, HttpRequest } from './http/http-fetch.js';
import { HttpReader } from './http/http-reader.js';
import type { HttpVersion } from './http/http-version.js';
import { isOtherOrigin, pageOrigin } from './http/page-origin.js';
import { resolvedUrl, type UrlLike } from './resolved-url.js';

/** Options of {@link httpSource}. */
export interface HttpSourceOptions {
  /**
   * What sends requests. Default: the global `fetch`, in pages past the browser's HTTP cache where it asks for ranges.
   */
  readonly fetch?: HttpFetch;
  /** Sent with every request to the URL's own origin, not to another one that it redirects to. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Stops the opening and all reads with `aborted`. */
  readonly signal?: AbortSignal;
  /** The file's size in bytes, where it is known: then nothing is fetched before the first read. */
  readonly size?: number;
  /** `version` of an earlier source of the same URL: reads throw `mismatch` if the file has another version since. */
  readonly version?: HttpVersion;
  /**
   * Bytes that the first request asks for: the end of the file; its beginning where a page opens another origin's file.
   */
  readonly firstBytes?: number;
  /** Bytes between two ranges that are fetched along rather than left out with one more request. */
  readonly gapBytes?: number;
  /** Requests at once. */
  readonly parallel?: number;
  /** How often a request is tried again after a failure that may pass, without progress in between. */
  readonly retries?: number;
  /** Milliseconds without a byte, further tries included, after which a read fails. */
  readonly timeout?: number;
  /** Bytes that were read and are kept in memory for further reads. */
  readonly keepBytes?: number;
  /** `streamBytes`: the largest file that is downloaded as a whole because its server has no ranges. */
  readonly limits?: Pick<Limits, 'streamBytes'>;
  /** Called with the bytes received so far and the file's size. Bytes that are fetched twice count twice. */
  readonly onProgress?: (progress: Progress) => void;
}

/** A file on a server, open for reading. */
export interface HttpSource extends Required<RandomAccess> {
  /** What the server's answers said of the file's version; `undefined` before the first one. */
  readonly version: HttpVersion | undefined;
  /** Whether the file is downloaded as a whole, because its server gives no ranges. */
  readonly isWhole: boolean;
}

/**
 * The defaults of {@link httpSource}, chosen for a question about 150 words to `mini-qa` over 10 Mbit/s and 40 ms.
 * `firstBytes`: room for a container's manifest, whose size is not known before: 10 kB, and 18 kB for BERT-base. What
 * comes with it is mostly the tokenizer's, which is needed too.
 * `gapBytes`: one group of rows of a `.prune` file, about 0.9 kB. With 512, the rows of the text take 97 requests, not
 * 90, and a tenth longer where 6 are sent at once; with 2048 they take 11 kB more.
 * `parallel`: the rows come in 0.77 s when 6 are sent at once, in 0.51 s with 10, 0.35 s with 16 and 0.26 s with 32, of
 * which 0.2 s are their bytes. Browsers send 6 at once to one server over HTTP/1.1, and more over HTTP/2. Servers may
 * refuse many connections of one client that is not a browser.
 * `keepBytes`: more than all of `mini-qa`.
 */
export const DEFAULT_HTTP_SOURCE_OPTIONS = {
  firstBytes: 24 * 2 ** 10,
  gapBytes: 2 ** 10,
  parallel: 16,
  retries: 4,
  timeout: 30_000,
  keepBytes: 2 ** 24,
} as const satisfies HttpSourceOptions;

/**
 * A file on a server as a byte source, read by HTTP range requests. Reads share what was fetched or is on its way;
 * neighbouring ranges are fetched together, several requests run at once, and one that breaks off goes on where it
 * stopped. A server without ranges is asked once for all of the file.
 * Throws `missing` (404), `io` (the network, the server, or no byte for `timeout`), `mismatch` (the file has changed
 * since it was opened), `corrupt` (answers that contradict themselves), `limit`, `aborted` and `invalid-argument`, all
 * with the URL without its query.
 */
export async function httpSource(url: string | UrlLike, options: HttpSourceOptions = {}): Promise<HttpSource> {
  const { address, ...checked } = httpTarget(url, options);
  checkAborted(options.signal);
  const reader = new HttpReader(address, {
    ...checked,
    limits: options.limits ?? DEFAULT_LIMITS,
    first: isOtherOrigin(address) ? { start: 0, end: checked.firstBytes } : { last: checked.firstBytes },
  });
  try {
    await reader.open();
  } catch (error) {
    reader.close();
    throw error;
  }
  return {
    name: reader.name,
    size: reader.size,
    get version() {
      return reader.version;
    },
    get isWhole() {
      return reader.isWhole;
    },
    read: async (offset, length) => (await reader.read([[offset, offset + length]]))[0],
    readRanges: (ranges, signal) => reader.read(ranges, signal),
    close: async () => reader.close(),
  };
}

/** The address and what is sent there, with checked options and their defaults. */
export function httpTarget(url: string | UrlLike, options: HttpSourceOptions) {
  const checked = { ...DEFAULT_HTTP_SOURCE_OPTIONS, ...checkedOptions(options) };
  const { size, version, fetch = fetchAtOnce } = options;
  return { ...checked, size, version, fetch, ...parsedUrl(url, options.headers) };
}

/**
 * The global `fetch`. In a page, ranges go past the browser's HTTP cache, which lets one request after another to the
 * same address: 6 ranges that took a server 0.2 s each took Chromium 1.3 s with the cache and 0.27 s without.
 */
function fetchAtOnce(url: string, request: HttpRequest): ReturnType<HttpFetch> {
  const isRange = pageOrigin() !== undefined && request.headers.range !== undefined;
  return fetch(url, isRange ? { ...request, cache: 'no-store' } : request);
}

/** Least values of the options that are numbers. */
const LEAST = { size: 0, firstBytes: 1, gapBytes: 0, parallel: 1, retries: 0, timeout: 1, keepBytes: 0 } as const;

/** The options that are set, because an explicit `undefined` means the default. */
function checkedOptions(options: HttpSourceOptions): HttpSourceOptions {
  for (const [name, least] of Object.entries(LEAST)) {
    const value = options[name as keyof typeof LEAST];
    if (value === undefined || (Number.isSafeInteger(value) && value >= least)) continue;
    throw new PruneError('invalid-argument', {
      where: 'httpSource',
      what: name,
      got: String(value),
      wanted: `an integer of at least ${least}`,
    });
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** The URL, and user name and password in it as a header, because `fetch` refuses them in the URL. */
function parsedUrl(url: string | UrlLike, given: HttpSourceOptions['headers'] = {}) {
  const address = resolvedUrl(url, 'httpSource');
  address.hash = '';
  const { username, password } = address;
  if (username === '' && password === '') return { address, headers: given };
  address.username = '';
  address.password = '';
  const bytes = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { address, headers: { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}`, ...given } };
}
