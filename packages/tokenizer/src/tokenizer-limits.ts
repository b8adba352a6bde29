/** Bounds on what a tokenizer's files may ask for. */
export interface TokenizerLimits {
  /** Tokens that are added to the vocabulary. */
  readonly addedTokens: number;
  /** UTF-16 code units of one of them. */
  readonly addedTokenLength: number;
  /** UTF-16 code units of all of them. */
  readonly addedCharacters: number;
  /** What a model may say for `max_input_chars_per_word`. */
  readonly wordCharacters: number;
  /** UTF-16 code units of WordPiece's `continuing_subword_prefix`. */
  readonly prefixLength: number;
  /** Entries of a vocabulary, and merges. */
  readonly vocabulary: number;
  /** UTF-16 code units of a token of byte-level BPE. */
  readonly tokenLength: number;
  /** Steps of a post-processor, and pieces of one step's template. */
  readonly steps: number;
}

/**
 * `addedTokens`: BERT's and RoBERTa's have 5, vocabularies with reserved tokens some 6,000.
 * `addedTokenLength`: it is looked for at every place of a text. The longest in use have about 30.
 * `addedCharacters`: each can take 250 bytes of the tree that added tokens are looked for in.
 * `wordCharacters`: WordPiece looks up every part of a word, in the worst case, so its time grows with the square of
 * this for each character: 20 kB in words of 200, with entries of every length, take 0.6 s.
 * `prefixLength`: it is looked up with every part of a word. BERT's has 2 characters.
 * `vocabulary`: LaBSE, a BERT for 109 languages, has 501,153 entries, the most of the family; an entry takes some 300
 * bytes while its tokenizer is made.
 * `tokenLength`: merging compares whole tokens, for each place of a text. The longest of GPT-2's and RoBERTa's has 128.
 * `steps`: each step copies what those before it made.
 */
export const DEFAULT_TOKENIZER_LIMITS: TokenizerLimits = {
  addedTokens: 10_000,
  addedTokenLength: 128,
  addedCharacters: 100_000,
  wordCharacters: 200,
  prefixLength: 16,
  vocabulary: 1_000_000,
  tokenLength: 256,
  steps: 64,
};
