import type { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import type { JsonObject } from '@prune/core';
import type { AlignedText } from './aligned-text.js';
import { byteCharacters } from './byte-characters.js';
import { byteLevelWords } from './byte-level-words.js';
import { requireType } from './require-type.js';
import type { TokenizerModel } from './tokenizer-model.js';

/**
 * Byte-level BPE as GPT-2 and RoBERTa have it, with offsets: words, each byte of their UTF-8 as one character, merged by the library.
 * The model must have gone through `checkedBpe`. Throws `unsupported` for another normalizer or pre-tokenizer.
 */
export function byteLevelBpe(json: JsonObject, library: LibraryTokenizer): TokenizerModel {
  requireType(json, 'normalizer', undefined);
  requireType(json, 'pre_tokenizer', 'ByteLevel');
  const { pre_tokenizer: splitting } = json as { pre_tokenizer: JsonObject };
  const characters = byteCharacters();
  const words =
    splitting.use_regex === false ? (text: string): Iterable<[number, number]> => [[0, text.length]] : byteLevelWords();
  const utf8 = new TextEncoder();

  /** `[begin, end)` of a text as characters for bytes, each aligned with the whole character that its byte is of. */
  const bytesOf = ({ text, starts, ends }: AlignedText, begin: number, end: number): AlignedText => {
    const word = text.slice(begin, end);
    const spelled = Array.from(utf8.encode(word), (byte) => characters[byte]).join('');
    const byteStarts: number[] = [];
    const byteEnds: number[] = [];
    let at = begin;
    for (const character of word) {
      for (let bytes = utf8Length(character.codePointAt(0)!); bytes > 0; bytes--) {
        byteStarts.push(starts[at]);
        byteEnds.push(ends[at]);
      }
      at += character.length;
    }
    return { text: spelled, starts: byteStarts, ends: byteEnds };
  };
  return {
    normalize: (text) => text,
    *tokenize(given, emit) {
      if (given.text === '') return;
      const text = splitting.add_prefix_space === true && given.text[0] !== ' ' ? withPrefixSpace(given) : given;
      for (const [begin, end] of words(text.text)) {
        const word = bytesOf(text, begin, end);
        let at = 0;
        for (const token of library.model!.encode([word.text])) {
          const next = at + token.length;
          emit(library.token_to_id(token)!, token, word.starts[at], word.ends[next - 1]);
          at = next;
        }
        yield;
      }
    },
  };
}

/** The blank stands for the character after it. */
function withPrefixSpace({ text, starts, ends }: AlignedText): AlignedText {
  return { text: ` ${text}`, starts: [starts[0], ...starts], ends: [ends[0], ...ends] };
}

/** Half of a pair that stands alone becomes U+FFFD, of three bytes too. */
function utf8Length(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x1_0000 ? 3 : 4;
}
