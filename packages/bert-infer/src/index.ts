export {
  type CompareModelsOptions,
  compareModels,
  DEFAULT_COMPARE_MODELS_OPTIONS,
  type ModelDifference,
} from './compare/compare-models.js';
export type {
  HeadName,
  Logits,
  LogitsOf,
  QuestionAnsweringLogits,
  SequenceLogits,
  TokenLogits,
} from './heads/head.js';
export { type BertConfig, bertConfig } from './model/bert-config.js';
export type { BertModel, ForwardOptions } from './model/bert-model.js';
export { type LoadModelOptions, loadModel, type StoredModel } from './model/load-model.js';
export type { ModelInputs, Padding } from './model/pack-batch.js';
export { type Answer, type AnswerOptions, type AnswerResult, answer, DEFAULT_ANSWER_OPTIONS } from './qa/answer.js';
export { evaluateSquad, type SquadEvaluation, type SquadScores } from './squad/evaluate-squad.js';
export { normalizeAnswer } from './squad/normalize-answer.js';
export { readSquad, type SquadDataset, type SquadExample } from './squad/read-squad.js';
export { type AnswerScore, scoreAnswer } from './squad/score-answer.js';
export { type ClassifyOptions, classify, type LabelScore } from './text/classify.js';
export { type ClassifyTokensOptions, classifyTokens, type TokenLabel } from './text/classify-tokens.js';
export { type EmbedOptions, embed } from './text/embed.js';
export type { EncodeTextOptions } from './text/encode-text.js';
export { createTokenizer, type Tokenizer } from './tokenizer/create-tokenizer.js';
export { loadTokenizer } from './tokenizer/load-tokenizer.js';
export type { Encoding, SequenceTemplate } from './tokenizer/sequence-template.js';
export type { TokenSpans } from './tokenizer/token-spans.js';
export type { TokenizerFiles } from './tokenizer/tokenizer-json.js';
