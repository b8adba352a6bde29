import { PruneError } from '@prune/core';

interface PageGlobals {
  readonly location?: { readonly href?: string };
}

/** An address as a URL, relative to the page where there is one. `where`: who is asking. */
export function resolvedUrl(url: string | URL, where: string): URL {
  try {
    return new URL(String(url), (globalThis as PageGlobals).location?.href);
  } catch (cause) {
    throw new PruneError('invalid-argument', {
      where,
      what: 'not a URL',
      got: typeof url === 'string' ? JSON.stringify(url.slice(0, 80)) : typeof url,
      wanted: 'an address such as https://example.org/model.prune',
      cause,
    });
  }
}
