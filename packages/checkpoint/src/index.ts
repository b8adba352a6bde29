export {
  applyMovementPruning,
  type MovementPruningOptions,
  PRUNING_METHODS,
  type PruningMethod,
} from './apply-movement-pruning.js';
export { checkComplete } from './check-complete.js';
export type { Checkpoint, CheckpointFormat, OpenOptions } from './checkpoint.js';
export { nameStaged } from './name-staged.js';
export { OnnxGraphWriter } from './onnx-writer/onnx-graph-writer.js';
export { openPytorch } from './open-pytorch.js';
export { openSafetensors } from './open-safetensors.js';
export { openSharded } from './open-sharded.js';
export { openStagedFile } from './open-staged-file.js';
export { type OpenOnnxOptions, openStagedOnnx } from './open-staged-onnx.js';
export { openStagedPytorch } from './open-staged-pytorch.js';
export { openTensorFile } from './open-tensor-file.js';
export type {
  ElementaryCheckpoint,
  FileMetadata,
  FloatCheckpoint,
  QuantizedCheckpoint,
  StagedCheckpoint,
} from './staged-checkpoint.js';
export { widenFloats } from './widen-floats.js';
export { widenToFloat32 } from './widen-to-float32.js';
export { withEmbeddingsOf } from './with-embeddings-of.js';
export { withPrunedWeights } from './with-pruned-weights.js';
export { withTransformersNames } from './with-transformers-names.js';
export { type WriteElementaryPytorchOptions, writeElementaryPytorch } from './write-elementary-pytorch.js';
export { type WriteOnnxOptions, writeOnnx } from './write-onnx.js';
export {
  PYTORCH_LAYOUTS,
  type PytorchLayout,
  type WriteQuantizedPytorchOptions,
  writeQuantizedPytorch,
} from './write-quantized-pytorch.js';
export { DEFAULT_SAFETENSORS_METADATA, type WriteSafetensorsOptions, writeSafetensors } from './write-safetensors.js';
