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
      "openStagedPytorch",
      "openTensorFile",
      "widenFloats",
      "widenToFloat32",
      "withEmbeddingsOf",
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
