// What another engine behind the seam of engine.ts needs, so that checks, errors and queue are those of this package.
export { type EncoderWork, openEncoder } from './open-encoder.js';
export { type LinearWork, openLinear } from './open-linear.js';
export { OpenParts } from './open-parts.js';
export { engineFunctions } from './reference/engine-functions.js';
export { layerNorm } from './reference/layer-norm.js';
export { type Batch, checkBatch, checkFinite } from './spec/check-batch.js';
export { checkEncoderLayer, checkNorm, type LayerShape } from './spec/check-encoder-layer.js';
export { checkLinear } from './spec/check-linear.js';
export { checkTokens } from './spec/check-tokens.js';
export { PassQueue } from './spec/pass-queue.js';
export { rowsOf } from './spec/rows-of.js';
export { withinMemory } from './within-memory.js';
