export { type CsrStatistics, type CsrStatisticsOptions, csrStatistics } from './csr-statistics.js';
export { decompose } from './decompose.js';
export { type MaskBounds, maskBounds } from './mask-bounds.js';
export { type RecomposeOptions, recompose, recomposeRows, recomposeSparse } from './recompose.js';
export { sliceRows } from './slice-rows.js';
export { toCsr } from './to-csr.js';
export { toDense } from './to-dense.js';
export { validateCsr } from './validate-csr.js';
export { valueEntropy } from './value-entropy.js';
