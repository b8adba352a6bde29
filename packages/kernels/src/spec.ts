// What another engine behind the seam of engine.ts needs, so that its checks, errors and queue are those of this package.
export { closedError } from './closed-error.js';
export { OpenParts } from './open-parts.js';
export { activate } from './reference/activate.js';
export { layerNorm } from './reference/layer-norm.js';
export { softmax } from './reference/softmax.js';
export { type Batch, checkBatch, checkFinite } from './spec/check-batch.js';
export { checkEncoderLayer, checkNorm, type LayerShape } from './spec/check-encoder-layer.js';
export { checkLinear } from './spec/check-linear.js';
export { checkTokens } from './spec/check-tokens.js';
export { PassQueue } from './spec/pass-queue.js';
export { rowsOf } from './spec/rows-of.js';
export { withinMemory } from './within-memory.js';
