import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';
import * as specApi from './spec.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_ENGINE_OPTIONS",
      "WORKER_SOURCE",
      "createEngine",
      "webWorkers",
    ]
  `);
  expect(Object.keys(specApi).sort()).toMatchInlineSnapshot(`
    [
      "OpenParts",
      "PassQueue",
      "checkBatch",
      "checkEncoderLayer",
      "checkFinite",
      "checkLinear",
      "checkNorm",
      "checkTokens",
      "engineFunctions",
      "layerNorm",
      "openEncoder",
      "openLinear",
      "rowsOf",
      "withinMemory",
    ]
  `);
  expect(Object.keys(nodeApi).sort()).toMatchInlineSnapshot(`
    [
      "hasWideKernels",
      "nativeKernels",
      "nodeEngine",
      "wideKernels",
      "workerThreads",
    ]
  `);
});
