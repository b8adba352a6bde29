import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_LIMITS",
      "DTYPES",
      "MAX_UINT16_COLUMNS",
      "MODEL_FAMILIES",
      "MODEL_TYPES",
      "PruneError",
      "QUANTIZATION_PROFILES",
      "TOKENIZER_FILES",
      "basePrefix",
      "checkAborted",
      "checkLimit",
      "csrFault",
      "csrOfRows",
      "elementCount",
      "entriesOf",
      "firstDifference",
      "headModules",
      "isDtype",
      "isPruneError",
      "locateError",
      "memorySink",
      "moduleKinds",
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
      "withMetadata",
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
