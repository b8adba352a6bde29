import type { AlignedText } from './aligned-text.js';

/** Takes one token more: its id, its string, and the code units of the original text that it covers. */
export type EmitToken = (id: number, token: string, start: number, end: number) => void;

/** What makes tokens of the text between added tokens: one for each kind of vocabulary. */
export interface TokenizerModel {
  /** The text that words are looked for in, and added tokens that say so. */
  normalize(text: AlignedText): AlignedText;
  /**
   * Gives the tokens of a normalized text in order, word by word as it is iterated, so that whoever does may pause
   * between words.
   */
  tokenize(text: AlignedText, emit: EmitToken): Iterable<void>;
}
