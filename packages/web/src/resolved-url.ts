import { PruneError } from '@prune/core';

interface PageGlobals {
  readonly location?: { readonly href?: string };
}

/** A `URL` is one. The class has its type in the DOM library and in Node's types, and a program may have neither. */
export interface UrlLike {
  readonly href: string;
}

/** An address as a URL, relative to the page where there is one. `where`: who is asking. */
export function resolvedUrl(url: string | UrlLike, where: string): URL {
  try {
    return new URL(typeof url === 'string' ? url : url.href, (globalThis as PageGlobals).location?.href);
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
