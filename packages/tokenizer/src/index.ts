export { type CreateTokenizerOptions, createTokenizer, type Tokenizer } from './create-tokenizer.js';
export { loadTokenizer } from './load-tokenizer.js';
export { applyTemplate, type Encoding, type SequenceTemplate } from './sequence-template.js';
export { sliceTokens, type TokenSpans } from './token-spans.js';
export type { TokenizerFiles } from './tokenizer-json.js';
export { DEFAULT_TOKENIZER_LIMITS, type TokenizerLimits } from './tokenizer-limits.js';
