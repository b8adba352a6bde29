import { expect, test } from 'vitest';
import * as api from './index.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "ACTIVATION_QMAX",
      "DEFAULT_QUANTIZE_OPTIONS",
      "activationQuantization",
      "dequantize",
      "dequantizeEmbedding",
      "dequantizeEmbeddingRow",
      "dequantizeLinear",
      "dynamicLinear",
      "linearModules",
      "moduleMetadata",
      "profileOf",
      "quantizeDynamic",
      "quantizeDynamicToCsr",
      "quantizeEmbedding",
      "quantizePiecesToCsr",
      "quantizeRowBlocks",
      "quantizeWeight",
      "quantizeWeightToCsr",
      "rint",
    ]
  `);
});
