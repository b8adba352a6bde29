export { basePrefix } from './architectures/base-prefix.js';
export { checkComputation } from './architectures/check-computation.js';
export type { ModuleKind } from './architectures/family-modules.js';
export { headModules } from './architectures/head-modules.js';
export { missingEmbeddings } from './architectures/missing-embeddings.js';
export { MODEL_FAMILIES, type ModelFamily } from './architectures/model-families.js';
export { modelFamily } from './architectures/model-family.js';
export { MODEL_TYPES, type ModelType } from './architectures/model-types.js';
export { type FoundModule, moduleFinder } from './architectures/module-finder.js';
export { moduleKinds } from './architectures/module-kinds.js';
export { type LayerNames, type ParameterNames, parameterNames } from './architectures/parameter-names.js';
export {
  type ByteSink,
  type ByteSource,
  memorySink,
  type RandomAccess,
  randomAccess,
} from './byte-sources/byte-source.js';
export { type Crc32, crc32 } from './byte-sources/crc32.js';
export { jsonText } from './byte-sources/json-text.js';
export { type JsonObject, parseJson, parseJsonArray } from './byte-sources/parse-json.js';
export { type ByteRange, readEachRange } from './byte-sources/read-each-range.js';
export { checkArgument } from './errors/check-argument.js';
export { type EscapeControlsOptions, escapeControls } from './errors/escape-controls.js';
export {
  checkAborted,
  isPruneError,
  locateError,
  PruneError,
  type PruneErrorCode,
  type PruneErrorDetails,
} from './errors/prune-error.js';
export { shown } from './errors/shown.js';
export { inBlocks } from './events/in-blocks.js';
export { Pacer } from './events/pacer.js';
export type { Progress } from './events/progress.js';
export { untilAborted } from './events/until-aborted.js';
export { yieldToEvents } from './events/yield-to-events.js';
export { checkLimit, DEFAULT_LIMITS, type Limits } from './limits/limits.js';
export { MAX_DEFLATE_RATIO } from './limits/max-deflate-ratio.js';
export {
  isSentenceFile,
  MODULES_JSON,
  type PoolingMode,
  SENTENCE_FILES,
  type SentenceModule,
  type SentencePipeline,
  sentenceModules,
  sentencePipeline,
} from './sentence/sentence-pipeline.js';
export { checkReadableMap } from './stages/check-readable-map.js';
export { MAX_UINT16_COLUMNS, newColumnIndices } from './stages/column-indices.js';
export { type CsrFault, type CsrTolerance, csrFault } from './stages/csr-fault.js';
export { csrOfRows } from './stages/csr-of-rows.js';
export type { CsrRows, RowVisitor } from './stages/csr-rows.js';
export {
  CSR_ARRAY_DTYPES,
  CSR_ARRAYS,
  type CsrArray,
  csrArrayNames,
  csrArrayOf,
  EMBEDDING_PARTS,
  embeddingNames,
  INT_REPR,
  intReprArrayOf,
  isShapeName,
  LINEAR_PARTS,
  linearNames,
  outputModuleOf,
  packedParamsName,
  partName,
  splitPartName,
  WEIGHT_MATRIX,
} from './stages/elementary-names.js';
export { entriesOf } from './stages/entries-of.js';
export { type Difference, type FirstDifferenceOptions, firstDifference } from './stages/first-difference.js';
export type { CsrMatrix, DenseInt8Matrix } from './stages/int8-matrix.js';
export type {
  Elementary,
  ElementaryEntries,
  ElementaryInfo,
  ElementaryStateDict,
  QuantizedEmbedding,
  QuantizedLinear,
  QuantizedStateDict,
  ReadableMap,
  StateDict,
  TensorPieces,
  WeightScales,
} from './stages/stages.js';
export { type RowTaker, takeRows } from './stages/take-rows.js';
export type {
  BlockBytes,
  Codec,
  CodecGroup,
  EncodedBlock,
  EncodedPiece,
  NamedInfo,
  NamedTensor,
  RowSelector,
  Sha256,
} from './stores/codec.js';
export {
  type JsonParts,
  type ModelFiles,
  type ModelMetadata,
  QUANTIZATION_PROFILES,
  type QuantizationProfile,
  TOKENIZER_FILES,
} from './stores/metadata.js';
export { repeatedShare } from './stores/repeated-share.js';
export { type StoredInfo, type TensorStore, type TensorStoreWriter, writeStore } from './stores/store.js';
export { withMetadata } from './stores/with-metadata.js';
export {
  DTYPES,
  type Dtype,
  elementCount,
  isDtype,
  scalar,
  type Tensor,
  type TensorData,
  type TensorInfo,
  tensor,
  tensorBytes,
  tensorFromBytes,
} from './tensors/tensor.js';
export { toFloat32 } from './tensors/to-float32.js';
export { toFloat32InTurns } from './tensors/to-float32-in-turns.js';
