import { LETTER, NUMBER } from './byte-level-classes.js';
import { codePointSet } from './code-point-set.js';
import { isWhiteSpace } from './is-white-space.js';

const CONTRACTION = /'(?:s|t|re|ve|m|ll|d)/y;

/**
 * Splits a text into the words of byte-level BPE (GPT-2's `encoder.py`), `[begin, end)` one after another:
 *
 *     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 *
 * Not as a regular expression: `\s`, `\p{L}` and `\p{N}` are other characters in every engine.
 */
export function byteLevelWords(): (text: string) => Iterable<[begin: number, end: number]> {
  const isLetter = codePointSet(LETTER);
  const isNumber = codePointSet(NUMBER);
  const classOf = (codePoint: number): number => {
    if (isWhiteSpace(codePoint)) return WHITE_SPACE;
    return isLetter(codePoint) ? 1 : isNumber(codePoint) ? 2 : 3;
  };
  /** Where the run of one class ends that `at` is in. */
  const runEnd = (text: string, at: number, of: number): number => {
    let end = at;
    for (let codePoint = text.codePointAt(end); codePoint !== undefined && classOf(codePoint) === of; ) {
      end += codePoint > 0xffff ? 2 : 1;
      codePoint = text.codePointAt(end);
    }
    return end;
  };
  const wordEnd = (text: string, at: number): number => {
    CONTRACTION.lastIndex = at;
    if (text[at] === "'" && CONTRACTION.test(text)) return CONTRACTION.lastIndex;
    const first = text[at] === ' ' && at + 1 < text.length ? at + 1 : at;
    const of = classOf(text.codePointAt(first)!);
    if (of !== WHITE_SPACE) return runEnd(text, first, of);
    const end = runEnd(text, at, WHITE_SPACE);
    // White space leaves its last character to the word that follows; each is one code unit.
    return end === text.length || end === at + 1 ? end : end - 1;
  };
  return function* (text) {
    for (let begin = 0; begin < text.length; ) {
      const end = wordEnd(text, begin);
      yield [begin, end];
      begin = end;
    }
  };
}

const WHITE_SPACE = 0;
