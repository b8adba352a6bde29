import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "H5_DEFAULTS",
      "createH5Store",
      "metadataFiles",
      "metadataOf",
      "openH5Store",
    ]
  `);
  expect(Object.keys(nodeApi).sort()).toMatchInlineSnapshot(`
    [
      "changedBesideH5",
      "createH5File",
      "openH5File",
      "pathsBesideH5",
    ]
  `);
});
