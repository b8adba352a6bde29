import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_LIMITS",
      "DTYPES",
      "MAX_UINT16_COLUMNS",
      "PruneError",
      "QUANTIZATION_PROFILES",
      "TOKENIZER_FILES",
      "checkAborted",
      "checkLimit",
      "csrFault",
      "csrOfRows",
      "elementCount",
      "entriesOf",
      "firstDifference",
      "isDtype",
      "isPruneError",
      "locateError",
      "memorySink",
      "newColumnIndices",
      "parameterNames",
      "parseJson",
      "randomAccess",
      "repeatedShare",
      "scalar",
      "shown",
      "takeRows",
      "tensor",
      "tensorBytes",
      "tensorFromBytes",
      "toFloat32",
      "writeStore",
    ]
  `);
  expect(Object.keys(nodeApi).sort()).toMatchInlineSnapshot(`
    [
      "atomicFile",
      "fileSource",
      "readRange",
      "writeWholeFile",
    ]
  `);
});
