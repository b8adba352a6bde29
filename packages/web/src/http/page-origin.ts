interface PageGlobals {
  readonly location?: { readonly origin?: string };
}

/** The origin of the page, or of the page that started this worker; `undefined` outside a browser. */
export function pageOrigin(): string | undefined {
  return (globalThis as PageGlobals).location?.origin;
}

/**
 * Whether this is a page and the URL belongs to another origin. Then the browser asks the server beforehand about each
 * header beyond a plain Range (a preflight, one more round trip), and hides headers that the server does not expose.
 */
export function isOtherOrigin(url: URL): boolean {
  const origin = pageOrigin();
  return origin !== undefined && (url.protocol === 'http:' || url.protocol === 'https:') && url.origin !== origin;
}
