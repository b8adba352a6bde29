import { PruneError } from '@prune/core';
import { contentRange } from './content-range.js';
import { fetchError } from './fetch-error.js';
import type { HttpFetch, HttpResponse } from './http-fetch.js';
import { type HttpVersion, httpVersion, versionChange } from './http-version.js';
import { isOtherOrigin } from './page-origin.js';
import { PassingFailure } from './passing-failure.js';
import { ResponseBody, stalled } from './response-body.js';
import { shownUrl } from './shown-url.js';
import { within } from './within.js';

/** Which bytes are asked for: `[start, end)`, so many last ones, or all. */
export type Asked = { readonly start: number; readonly end: number } | { readonly last: number } | 'all';

/** What a server gives for a request. */
export type Answer =
  /**
   * Bytes `[start, end)`. `exact`: the response's own length is known to be that, so its end need not be waited for.
   */
  | {
      readonly kind: 'part';
      readonly start: number;
      readonly end: number;
      readonly exact: boolean;
      readonly body: ResponseBody;
    }
  /** The file from its first byte on. `length` is unknown where it is compressed on the way, or sent in chunks. */
  | { readonly kind: 'all'; readonly length: number | undefined; readonly body: ResponseBody }
  /** The server cannot give ranges of this file that could be trusted. */
  | { readonly kind: 'no-ranges' }
  | { readonly kind: 'empty' };

/** Options of {@link RemoteFile}. */
export interface RemoteFileOptions {
  readonly fetch: HttpFetch;
  readonly headers: Readonly<Record<string, string>>;
  readonly size: number | undefined;
  /** The version of the file whose size that is, where an earlier answer said it. */
  readonly version: HttpVersion | undefined;
}

/** Statuses of servers that are busy, or behind one that is. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524]);
/** Statuses of an address that is not valid any more, such as a signed one that a redirect led to. */
const GONE = new Set([401, 403, 404, 410]);
/** Statuses of servers that do not understand a request for a range; what is really wrong shows without the range. */
const NOT_UNDERSTOOD = new Set([400, 405, 416, 501]);

/**
 * A file on a server: sends requests for its bytes, and checks that each answer is what was asked for and belongs to
 * the version of the file that the first answer came from.
 */
export class RemoteFile {
  /** The address in messages. */
  readonly where: string;
  readonly #original: URL;
  readonly #fetch: HttpFetch;
  readonly #headers: Readonly<Record<string, string>>;
  /** Where redirects led, so that later requests need not follow them again. */
  #url: URL;
  #size: number | undefined;
  #version: HttpVersion | undefined;
  #kind = '';

  constructor(url: URL, { fetch, headers, size, version }: RemoteFileOptions) {
    this.where = shownUrl(url);
    this.#original = url;
    this.#url = url;
    this.#fetch = fetch;
    this.#headers = headers;
    this.#size = size;
    this.#version = version;
  }

  /** Known after the first answer with a length. */
  get size(): number | undefined {
    return this.#size;
  }

  /** Known after the first answer. */
  get version(): HttpVersion | undefined {
    return this.#version;
  }

  /**
   * The address, and status and type of the answer where that is text: a page that says "not found" with status 200 is
   * then recognised in the error of whoever tries to read it as a model.
   */
  get name(): string {
    return this.#kind === '' ? this.where : `${this.where} (${this.#kind})`;
  }

  /**
   * Sends one request. Waits `wait` milliseconds for the answer; `stop` ends the request, its body too. Throws
   * {@link PassingFailure} where another attempt may succeed, and `missing`, `mismatch`, `corrupt`, `io`.
   */
  async request(asked: Asked, wait: number, stop: AbortSignal): Promise<Answer> {
    const controller = new AbortController();
    const end = () => {
      stop.removeEventListener('abort', end);
      controller.abort();
    };
    stop.addEventListener('abort', end);
    if (stop.aborted) end();
    const url = this.#url;
    const sent = this.#fetch(url.href, { headers: this.#headersFor(url, asked), signal: controller.signal });
    const response = await within(sent, wait).catch((cause) => {
      end();
      throw new PassingFailure(fetchError(this.where, cause, url));
    });
    if (response === undefined) {
      end();
      throw new PassingFailure(stalled(this.where, wait));
    }
    const body = new ResponseBody(response, this.where, end);
    try {
      const answer = this.#answer(response, body, asked, url);
      if (answer.kind === 'no-ranges' || answer.kind === 'empty') body.cancel();
      return answer;
    } catch (error) {
      body.cancel();
      throw error;
    }
  }

  /** Notes the length of a file that was downloaded as a whole. */
  checkSize(size: number): void {
    if (this.#size !== undefined && this.#size !== size) this.#changed(`${size} bytes`, `${this.#size} bytes`);
    this.#size = size;
  }

  #headersFor(url: URL, asked: Asked): Record<string, string> {
    // The caller's headers can hold a password, which is not for whoever a redirect leads to.
    const headers: Record<string, string> = url.origin === this.#original.origin ? { ...this.#headers } : {};
    if (asked === 'all') return headers;
    headers.range = 'last' in asked ? `bytes=-${asked.last}` : `bytes=${asked.start}-${asked.end - 1}`;
    // Ranges of compressed bytes would be ranges of something else. Browsers say the same by themselves.
    headers['accept-encoding'] = 'identity';
    const condition = this.#version?.condition;
    if (condition !== undefined && !isOtherOrigin(url)) headers['if-range'] = condition;
    return headers;
  }

  #answer(response: HttpResponse, body: ResponseBody, asked: Asked, url: URL): Answer {
    const { status, headers } = response;
    if (status !== 200 && status !== 206) return this.#refused(response, asked, url);
    if (response.url && response.url !== url.href) this.#url = new URL(response.url);
    this.#noteKind(response);
    const packed = !/^(identity)?$/i.test(headers.get('content-encoding')?.trim() ?? '');
    // Of another origin the browser shows the length, but may hide that these are compressed bytes.
    const isSure = !packed && !(status === 200 && isOtherOrigin(url));
    const length = isSure ? contentLength(headers.get('content-length')) : undefined;
    if (status === 200) {
      this.#checkVersion(response);
      if (length !== undefined) this.checkSize(length);
      return { kind: 'all', length, body };
    }
    if (asked === 'all') {
      throw this.#lie('a part of the file in answer to a request for all of it', 'status 206', 'status 200');
    }
    const said = contentRange(headers.get('content-range'));
    // Without Content-Range nobody knows which bytes these are; of another origin the browser may hide it.
    if (packed || headers.get('content-range') === null) return { kind: 'no-ranges' };
    if (said?.range === undefined) {
      throw this.#lie('Content-Range', String(headers.get('content-range')), 'the bytes that were asked for');
    }
    const size = said.size ?? this.#size;
    if (size === undefined) return { kind: 'no-ranges' };
    this.#checkVersion(response);
    this.checkSize(size);
    const [start, end] = said.range;
    const wanted = 'last' in asked ? { start: Math.max(0, size - asked.last), end: size } : asked;
    // Servers that do not know of ranges from the end, such as that of `vite dev`, take `-n` for a range from 0 on.
    const isFromStart = 'last' in asked && start === 0;
    // A server may give fewer bytes than asked for, from the right start on.
    if ((start !== wanted.start && !isFromStart) || end > wanted.end) {
      throw this.#lie('another range than asked for', `${start}-${end - 1}`, `${wanted.start}-${wanted.end - 1}`);
    }
    if (length !== undefined && length !== end - start) {
      throw this.#lie('Content-Length does not fit Content-Range', length, end - start);
    }
    return { kind: 'part', start, end, exact: length !== undefined, body };
  }

  #refused({ status, headers }: HttpResponse, asked: Asked, url: URL): Answer {
    const type = headers.get('content-type');
    const got = `status ${status}${type === null ? '' : ` (${type})`}`;
    const refused = (code: 'io' | 'missing', what: string) =>
      new PruneError(code, { where: this.where, what, got, wanted: 'status 206 or 200' });
    if (PASSING.has(status)) {
      throw new PassingFailure(refused('io', 'the server cannot answer'), retryAfter(headers.get('retry-after')));
    }
    if (GONE.has(status) && url !== this.#original) {
      this.#url = this.#original;
      throw new PassingFailure(refused('io', `the address that ${this.where} redirects to is refused`));
    }
    if (NOT_UNDERSTOOD.has(status) && asked !== 'all' && this.#version === undefined) {
      const said = contentRange(headers.get('content-range'));
      if (status === 416 && said?.size === 0) {
        this.#checkVersion({ headers });
        this.checkSize(0);
        return { kind: 'empty' };
      }
      return { kind: 'no-ranges' };
    }
    if (status === 416 || status === 412) {
      const size = contentRange(headers.get('content-range'))?.size;
      this.#changed(size === undefined ? `status ${status}` : `${size} bytes`, `${this.#size} bytes`);
    }
    if (status === 404 || status === 410) throw refused('missing', 'no such file on the server');
    throw refused('io', 'the server refuses');
  }

  #checkVersion({ headers }: Pick<HttpResponse, 'headers'>): void {
    const version = httpVersion(headers);
    if (this.#version === undefined) {
      this.#version = version;
      return;
    }
    const change = versionChange(version, this.#version);
    if (change !== undefined) this.#changed(change.got, change.wanted);
  }

  #changed(got: string, wanted: string): never {
    throw new PruneError('mismatch', {
      where: this.where,
      what: 'the file on the server has changed since it was opened',
      got,
      wanted,
    });
  }

  #lie(what: string, got: string | number, wanted: string | number): PruneError {
    return new PruneError('corrupt', { where: this.where, what: `the server's answer: ${what}`, got, wanted });
  }

  #noteKind({ status, headers }: HttpResponse): void {
    const type = headers.get('content-type')?.trim() ?? '';
    this.#kind = /^text\/|html|json|xml/i.test(type) ? `status ${status}, ${type}` : '';
  }
}

function contentLength(header: string | null): number | undefined {
  return header !== null && /^\d{1,15}$/.test(header.trim()) ? Number(header) : undefined;
}

/** Retry-After is a number of seconds or a date. */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds * 1000);
}
