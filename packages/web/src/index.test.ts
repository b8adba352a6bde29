import { expect, test } from 'vitest';
import * as api from './index.js';
import * as worker from './worker.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_CACHE_NAME",
      "DEFAULT_HTTP_SOURCE_OPTIONS",
      "blobSource",
      "cachedSource",
      "httpSource",
      "openModel",
    ]
  `);
  expect(Object.keys(worker)).toMatchInlineSnapshot(`
    [
      "serveModel",
    ]
  `);
});
