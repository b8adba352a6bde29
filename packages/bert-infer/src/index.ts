export { TEXTS_AT_ONCE } from './batch/cut-batches.js';
export type { ModelInputs, Padding } from './batch/pack-batch.js';
export {
  type CompareModelsOptions,
  compareModels,
  DEFAULT_COMPARE_MODELS_OPTIONS,
  type ModelDifference,
} from './compare/compare-models.js';
export { type BertConfig, bertConfig } from './config/bert-config.js';
export type {
  HeadName,
  Logits,
  LogitsOf,
  QuestionAnsweringLogits,
  SequenceLogits,
  TokenLogits,
} from './heads/head.js';
export type { BertModel, ForwardOptions, ModelInfo } from './model/bert-model.js';
export { type LoadModelOptions, loadModel, type StoredModel } from './model/load-model.js';
export { type Answer, type AnswerOptions, type AnswerResult, answer, DEFAULT_ANSWER_OPTIONS } from './qa/answer.js';
export { type ClassifyOptions, classify, type LabelScore } from './text/classify.js';
export { type ClassifyTokensOptions, classifyTokens, type TokenLabel } from './text/classify-tokens.js';
export { type EmbedOptions, embed } from './text/embed.js';
export type { EncodeTextOptions } from './text/encode-text.js';
export type { WatchOptions, WatchResultOptions } from './watch-options.js';
export type { LayerSizes } from './weights/load-layers.js';
