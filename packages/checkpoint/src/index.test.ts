import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_SAFETENSORS_METADATA",
      "PRUNING_METHODS",
      "applyMovementPruning",
      "checkComplete",
      "nameStaged",
      "openPytorch",
      "openSafetensors",
      "openSharded",
      "openStagedFile",
      "openStagedPytorch",
      "openTensorFile",
      "widenFloats",
      "widenToFloat32",
      "withEmbeddingsOf",
      "withPrunedWeights",
      "withTransformersNames",
      "writeSafetensors",
    ]
  `);
  expect(Object.keys(nodeApi).sort()).toMatchInlineSnapshot(`
    [
      "CHECKPOINT_FILES",
      "checkpointFolderFiles",
      "openCheckpoint",
      "openStagedCheckpoint",
      "writeCheckpointFolder",
    ]
  `);
});
