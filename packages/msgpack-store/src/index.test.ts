import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_CODEC",
      "DEFAULT_LEVEL",
      "MSGPACK_CODEC_NAMES",
      "PROLOGUE_BYTES",
      "allCodecs",
      "bundleModels",
      "codecList",
      "createMsgpackStore",
      "csrGzip",
      "gzip",
      "isMsgpackStore",
      "openMsgpackStore",
      "planesGzip",
      "raw",
      "readIntegrity",
      "summarizeContainer",
    ]
  `);
  expect(Object.keys(nodeApi).sort()).toMatchInlineSnapshot(`
    [
      "basesBeside",
      "createMsgpackFile",
      "nodePlatform",
      "openMsgpackFile",
    ]
  `);
});
