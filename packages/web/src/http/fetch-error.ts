import { PruneError } from '@prune/core';
import { isOtherOrigin, pageOrigin } from './page-origin.js';

/**
 * The error of a request that got no answer, or of a body that broke off. In a page, what could be the reason, because
 * the browser's error does not say.
 */
export function fetchError(where: string, cause: unknown, url?: URL): PruneError {
  return new PruneError('io', { where, what: `could not be fetched: ${messageOf(cause)}${hint(url)}`, cause });
}

/** Node's says `fetch failed`, and why in its cause. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error && cause.message !== '' ? `${message} (${cause.message})` : message;
}

function hint(url: URL | undefined): string {
  const origin = pageOrigin();
  if (url === undefined || origin === undefined) return '';
  const reasons = ['the network or the server is down', "the page's content-security policy (connect-src) forbids it"];
  if (origin.startsWith('https:') && url.protocol === 'http:') reasons.push('a page of https may not load from http');
  if (isOtherOrigin(url)) reasons.push(`the server does not allow the origin ${origin} (Access-Control-Allow-Origin)`);
  return `; the browser does not say why, perhaps ${reasons.join(', or ')}`;
}
