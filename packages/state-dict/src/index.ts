export { type ByteSink, type ByteSource, memorySink, type RandomAccess, randomAccess } from './byte-source.js';
export type { Codec, CodecGroup, EncodedBlock, EncodedPiece, NamedInfo, NamedTensor } from './codec.js';
export { MAX_UINT16_COLUMNS, newColumnIndices } from './column-indices.js';
export { type CsrRows, csrOfRows, type RowVisitor } from './csr-rows.js';
export { entriesOf } from './entries-of.js';
export {
  checkAborted,
  isPruneError,
  locateError,
  PruneError,
  type PruneErrorCode,
  type PruneErrorDetails,
} from './errors.js';
export { type Difference, type FirstDifferenceOptions, firstDifference } from './first-difference.js';
export { checkLimit, DEFAULT_LIMITS, type Limits } from './limits.js';
export {
  type JsonObject,
  type ModelMetadata,
  QUANTIZATION_PROFILES,
  type QuantizationProfile,
  TOKENIZER_FILES,
} from './metadata.js';
export { parseJson } from './parse-json.js';
export { repeatedShare } from './repeated-share.js';
export type {
  CsrMatrix,
  DenseInt8Matrix,
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
} from './stages.js';
export { type StoredInfo, type TensorStore, type TensorStoreWriter, writeStore } from './store.js';
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
} from './tensor.js';
export { toFloat32 } from './to-float32.js';
