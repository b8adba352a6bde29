import { expect, test } from 'vitest';
import * as api from './index.js';
import * as nodeApi from './node.js';

test('public API', () => {
  expect(Object.keys(api).sort()).toMatchInlineSnapshot(`
    [
      "DEFAULT_SAFETENSORS_METADATA",
      "OnnxGraphWriter",
      "PRUNING_METHODS",
      "PYTORCH_LAYOUTS",
      "applyMovementPruning",
      "checkComplete",
      "nameStaged",
      "openPytorch",
      "openSafetensors",
      "openSharded",
      "openStagedFile",
      "openStagedOnnx",
      "openStagedPytorch",
      "openTensorFile",
      "widenFloats",
      "widenToFloat32",
      "withEmbeddingsOf",
      "withPrunedWeights",
      "withTransformersNames",
      "writeElementaryPytorch",
      "writeOnnx",
      "writeQuantizedPytorch",
      "writeSafetensors",
    ]
  `);
  expect(Object.keys(nodeApi).sort()).toMatchInlineSnapshot(`
    [
      "CHECKPOINT_FILES",
      "checkpointFolderFiles",
      "modelFolderFiles",
      "openCheckpoint",
      "openStagedCheckpoint",
      "writeCheckpointFolder",
      "writeModelFolder",
    ]
  `);
});
