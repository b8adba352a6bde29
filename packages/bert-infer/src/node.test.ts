import { expect, test } from 'vitest';
import * as api from './node.js';

test('the public API for Node', () => {
  expect(Object.keys(api)).toMatchInlineSnapshot(`
    [
      "hasWideKernels",
      "nativeKernels",
      "nodeEngine",
      "wideKernels",
      "workerThreads",
    ]
  `);
});
