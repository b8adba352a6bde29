import type { OpenUrl } from '@prune/model-files/node';
import { httpSource } from '@prune/web';

/** Opens what the user, or a file that the user opens, names by URL: one request, and then what is read. */
export const openUrl: OpenUrl = (url, { signal }) => httpSource(url, { signal });
