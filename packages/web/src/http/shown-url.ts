/** An address of another kind (`data:`, `blob:`) is cut to so many characters in messages. */
const LONGEST_OTHER = 60;

/**
 * A URL for messages: without user name, password, query and fragment, because signed addresses have their keys in the
 * query and messages end up in logs.
 */
export function shownUrl(url: URL): string {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return url.href.length > LONGEST_OTHER ? `${url.href.slice(0, LONGEST_OTHER)}...` : url.href;
  }
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?...'}`;
}
