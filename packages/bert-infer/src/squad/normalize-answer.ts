import { checkText } from '../text/check-text.js';

/** Python's `str.isspace`: it counts the separators U+001C to U+001F and U+0085, and does not count U+FEFF, unlike JavaScript's `\s`. */
const WHITE_SPACE = new RegExp(`[\\t-\\r${String.fromCharCode(0x1c, 0x1d, 0x1e, 0x1f, 0x85)}\\p{Z}]+`, 'u');
/** Python's `string.punctuation`. */
const PUNCTUATION = /[!-/:-@[-`{-~]/g;
/** Python's `\b(a|an|the)\b`: a word there is made of letters and numbers of every script, and `_`. */
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu;

/**
 * The words of an answer as the official SQuAD evaluation compares them: lower case, ASCII punctuation and English articles removed.
 * Source: `normalize_answer` of evaluate-v1.1.py and evaluate-v2.0.py (Rajpurkar et al.), equal to it character for character.
 */
export function normalizeAnswer(text: string): string[] {
  checkText('normalizeAnswer', 'text', text);
  const bare = text.toLowerCase().replace(PUNCTUATION, '').replace(ARTICLES, ' ');
  return bare.split(WHITE_SPACE).filter((word) => word !== '');
}
