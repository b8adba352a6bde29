export {
  ACTIVATION_QMAX,
  type ActivationQuantization,
  activationQuantization,
} from './activation-quantization.js';
export { type DequantizedStateDict, dequantize } from './dequantize.js';
export { dequantizeEmbedding, dequantizeEmbeddingRow } from './dequantize-embedding.js';
export { dequantizeLinear } from './dequantize-linear.js';
export { type DynamicLinearOptions, dynamicLinear } from './dynamic-linear.js';
export { type LinearModules, linearModules } from './linear-modules.js';
export { moduleMetadata } from './module-metadata.js';
export { profileOf } from './profile-of.js';
export {
  DEFAULT_QUANTIZE_OPTIONS,
  type EmbeddingPrecision,
  type QuantizeDynamicOptions,
  quantizeDynamic,
  quantizeDynamicToCsr,
} from './quantize-dynamic.js';
export { quantizeEmbedding } from './quantize-embedding.js';
export { type QuantizeRowBlocksOptions, quantizeRowBlocks } from './quantize-row-blocks.js';
export { type QuantizedWeight, type QuantizeWeightOptions, quantizeWeight } from './quantize-weight.js';
export { quantizePiecesToCsr, quantizeWeightToCsr } from './quantize-weight-to-csr.js';
export { rint } from './rint.js';
