import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_SAFETENSORS_METADATA",
      "PRUNING_METHODS",
      "applyMovementPruning",
      "openPytorch",
      "openSafetensors",
      "openSharded",
      "openStagedFile",
      "openStagedOnnx",
      "openStagedPytorch",
      "openTensorFile",
      "widenFloats",
      "widenToFloat32",
      "withTransformersNames",
      "writeSafetensors",
    ]
  `);
  expect(Object.keys(nodeApi).sort()).toMatchInlineSnapshot(`
    [
      "CHECKPOINT_FILES",
      "openCheckpoint",
      "openStagedCheckpoint",
      "writeCheckpointFolder",
    ]
  `);
});
