import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_CODEC",
      "DEFAULT_LEVEL",
      "MSGPACK_CODEC_NAMES",
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
