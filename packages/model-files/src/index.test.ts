import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_PACK_OPTIONS",
      "inspectStore",
      "packCheckpoint",
      "packQuantized",
    ]
  `);
  expect(Object.keys(nodeApi).sort()).toMatchInlineSnapshot(`
    [
      "CODEC_NAMES",
      "UNPACKED_FORMS",
      "bundleFiles",
      "createStore",
      "isUrl",
      "modelAddress",
      "openModel",
      "openStore",
      "outputFiles",
      "storeOfName",
      "summarizeFile",
      "unpackModel",
      "unpackedFiles",
    ]
  `);
});
