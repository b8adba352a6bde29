import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_ENGINE_OPTIONS",
      "WORKER_SOURCE",
      "createEngine",
      "webWorkers",
    ]
  `);
  expect(Object.keys(nodeApi).sort()).toMatchInlineSnapshot(`
    [
      "hasWideKernels",
      "wideKernels",
      "workerThreads",
    ]
  `);
});
