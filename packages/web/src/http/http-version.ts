import type { HttpResponse } from './http-fetch.js';

/** What tells two versions of a file on a server apart, as far as the server says it. */
export interface HttpVersion {
  /** The ETag, without what servers add to it when they compress the file on the way. */
  readonly tag?: string;
  /** Last-Modified. */
  readonly modified?: string;
  /** For If-Range, which takes no weak ETag: the server then gives a range of this version, or all of another one. */
  readonly condition?: string;
}

/** The version that an answer belongs to. */
export function httpVersion(headers: HttpResponse['headers']): HttpVersion {
  const etag = headers.get('etag')?.trim() || undefined;
  const modified = headers.get('last-modified')?.trim() || undefined;
  const tag = etag?.replace(/^W\//, '').replace(/[-;]+(gzip|br|zstd|deflate)(?="$)/, '');
  const condition = etag === undefined ? modified : etag.startsWith('"') ? etag : undefined;
  return { tag, modified, condition };
}

/** How two versions differ; `undefined` where nothing shows that they do. */
export function versionChange(got: HttpVersion, wanted: HttpVersion): { got: string; wanted: string } | undefined {
  for (const key of ['tag', 'modified'] as const) {
    const [is, was] = [got[key], wanted[key]];
    if (is === undefined || was === undefined) continue;
    // The tag says more than the date, which can differ between the machines of one server.
    return is === was ? undefined : { got: is, wanted: was };
  }
  return undefined;
}
