import type { AlignedText } from './aligned-text.js';
import { codePointSet } from './code-point-set.js';
import { isWhiteSpace } from './is-white-space.js';
import { CONTROL, MARK, PUNCTUATION } from './unicode-classes.js';

// @huggingface/tokenizers 0.2.0 normalizes and splits too, but without offsets, and not always as the Rust tokenizer does: it lower-cases
// in context (final sigma), looks at halves of surrogate pairs when it asks for CJK, and uses the engine's Unicode tables. So this part
// is ours, and so is WordPiece; vocabulary and templates are the library's.

/** The fields of tokenizer.json's `BertNormalizer`. */
export interface BertNormalization {
  /** Remove control characters, make every white space a space. */
  readonly cleanText: boolean;
  /** Put every CJK ideograph between spaces. */
  readonly handleChineseChars: boolean;
  /** Decompose (NFD) and remove nonspacing marks. */
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

/** What one text needs: made once for a tokenizer, because the character classes are unpacked when it is made. */
export interface BertText {
  /** The normalized text. Combining marks are not reordered: they are removed, or left as they stand. */
  normalize(text: AlignedText): AlignedText;
  /** The words of a normalized text as `[begin, end)`: split at white space, each punctuation character alone. */
  words(text: string): Iterable<[begin: number, end: number]>;
}

/** Normalizer and pre-tokenizer of BERT (`BertNormalizer`, `BertPreTokenizer` of Hugging Face tokenizers), with alignment. */
export function bertText(options: BertNormalization): BertText {
  const isControl = codePointSet(CONTROL);
  const isMark = codePointSet(MARK);
  const isPunctuation = codePointSet(PUNCTUATION);

  // Normalization is per character: to what it becomes, '' when it is removed. The order of the steps is the Rust normalizer's.
  const normalizeCharacter = (character: string): string => {
    let codePoint = character.codePointAt(0)!;
    if (options.cleanText) {
      if (isControl(codePoint)) return '';
      if (isWhiteSpace(codePoint)) return ' ';
    }
    let result = character;
    if (options.stripAccents && codePoint > 127 && !isNewlyDecomposed(codePoint)) {
      result = '';
      for (const part of character.normalize('NFD')) if (!isMark(part.codePointAt(0)!)) result += part;
    }
    if (options.lowercase) {
      let lower = '';
      // One character at a time: `toLowerCase` of a word would turn a final sigma into another letter.
      for (const part of result) lower += part.toLowerCase();
      result = lower;
    }
    if (options.handleChineseChars && codePoint > 127) {
      codePoint = character.codePointAt(0)!;
      if (isIdeograph(codePoint)) result = ` ${result} `;
    }
    return result;
  };

  const seen = new Map<string, string>();
  return {
    normalize({ text, starts, ends }) {
      const newStarts: number[] = [];
      const newEnds: number[] = [];
      let normalized = '';
      let at = 0;
      for (const character of text) {
        let result = seen.get(character);
        if (result === undefined) {
          result = normalizeCharacter(character);
          if (seen.size < 4096) seen.set(character, result);
        }
        normalized += result;
        for (let unit = 0; unit < result.length; unit++) {
          newStarts.push(starts[at]);
          newEnds.push(ends[at]);
        }
        at += character.length;
      }
      return { text: normalized, starts: newStarts, ends: newEnds };
    },

    *words(text) {
      let begin = -1;
      let at = 0;
      for (const character of text) {
        const codePoint = character.codePointAt(0)!;
        const punctuation = isPunctuation(codePoint);
        if (punctuation || isWhiteSpace(codePoint)) {
          if (begin !== -1) yield [begin, at];
          begin = -1;
          if (punctuation) yield [at, at + character.length];
        } else if (begin === -1) begin = at;
        at += character.length;
      }
      if (begin !== -1) yield [begin, at];
    },
  };
}

/** Letters whose canonical decomposition came with Unicode 13 or 16: the Rust tokenizer's table does not have it and leaves them whole. */
function isNewlyDecomposed(codePoint: number): boolean {
  return (
    codePoint === 0x105c9 ||
    codePoint === 0x105e4 ||
    (codePoint >= 0x11380 && codePoint <= 0x113ff) ||
    codePoint === 0x11938 ||
    (codePoint >= 0x16100 && codePoint <= 0x1613f) ||
    (codePoint >= 0x16d40 && codePoint <= 0x16d7f)
  );
}

/** The blocks that BERT calls Chinese characters (google-research/bert, tokenization.py, `_is_chinese_char`). */
function isIdeograph(codePoint: number): boolean {
  return (
    (codePoint >= 0x4e00 && codePoint <= 0x9fff) ||
    (codePoint >= 0x3400 && codePoint <= 0x4dbf) ||
    (codePoint >= 0x20000 && codePoint <= 0x2a6df) ||
    (codePoint >= 0x2a700 && codePoint <= 0x2b73f) ||
    (codePoint >= 0x2b740 && codePoint <= 0x2b81f) ||
    (codePoint >= 0x2b920 && codePoint <= 0x2ceaf) ||
    (codePoint >= 0xf900 && codePoint <= 0xfaff) ||
    (codePoint >= 0x2f800 && codePoint <= 0x2fa1f)
  );
}
