import { checkLimit, type JsonObject, PruneError, shown } from '@prune/core';
import { type AlignedText, alignedPart } from './aligned-text.js';
import { bertText } from './bert-text.js';
import { requireType } from './require-type.js';
import { splitsPair } from './splits-pair.js';
import type { TokenizerLimits } from './tokenizer-limits.js';
import type { EmitToken, TokenizerModel } from './tokenizer-model.js';
import type { Vocabulary } from './vocabulary.js';

/** Characters of a word past which it is unknown, where the model does not say otherwise: BERT's. */
const WORD_CHARACTERS = 100;

/**
 * BERT's normalizer, words and WordPiece, with offsets. `vocabulary` is the model's own, `idOf` has the added tokens
 * too.
 * Throws `corrupt`, `unsupported` for other parts than BERT's, or
 * `limit` for words or a prefix longer than WordPiece can take. `@huggingface/tokenizers` has WordPiece too, but it
 * copies every part of a word, character by character, to look it up: 20 kB in words of 100 took 1.1 s there and take
 * 0.1 s here.
 */
export function wordPiece(
  json: JsonObject,
  vocabulary: Vocabulary,
  idOf: (token: string) => number | undefined,
  limits: TokenizerLimits,
): TokenizerModel {
  requireType(json, 'normalizer', 'BertNormalizer');
  requireType(json, 'pre_tokenizer', 'BertPreTokenizer');
  const { normalizer, model } = json as { normalizer: JsonObject; model: JsonObject };
  const lowercase = normalizer.lowercase !== false;
  const text = bertText({
    cleanText: normalizer.clean_text !== false,
    handleChineseChars: normalizer.handle_chinese_chars !== false,
    stripAccents: typeof normalizer.strip_accents === 'boolean' ? normalizer.strip_accents : lowercase,
    lowercase,
  });
  const prefix = modelText(model, 'continuing_subword_prefix', '##');
  checkLimit('characters of continuing_subword_prefix', prefix.length, limits.prefixLength, { where: 'tokenizer' });
  const mostCharacters = wordLength(model.max_input_chars_per_word, limits);
  const { longest } = vocabulary;
  const unknown = modelText(model, 'unk_token');
  const unknownId = idOf(unknown);
  if (unknownId === undefined) {
    throw new PruneError('corrupt', {
      where: 'tokenizer',
      what: 'unknown token is not in the vocabulary',
      got: shown(unknown),
    });
  }

  /** The longest token that `word` goes on with at `at`, and where that ends; `undefined` without one. */
  const pieceAt = (word: string, at: number): { id: number; token: string; end: number } | undefined => {
    const before = at === 0 ? '' : prefix;
    for (let end = Math.min(word.length, at + longest - before.length); end > at; end--) {
      if (splitsPair(word, end)) continue;
      const token = before + word.slice(at, end);
      const id = vocabulary.id(token);
      if (id !== undefined) return { id, token, end };
    }
    return undefined;
  };
  const emitWord = ({ text: word, starts, ends }: AlignedText, emit: EmitToken): void => {
    const pieces: { id: number; token: string; end: number }[] = [];
    let at = 0;
    if (!hasMoreCharacters(word, mostCharacters)) {
      for (let piece = pieceAt(word, 0); piece !== undefined; piece = pieceAt(word, at)) {
        pieces.push(piece);
        at = piece.end;
        if (at === word.length) break;
      }
    }
    if (at < word.length) {
      emit(unknownId, unknown, starts[0], ends[word.length - 1]);
      return;
    }
    at = 0;
    for (const { id, token, end } of pieces) {
      emit(id, token, starts[at], ends[end - 1]);
      at = end;
    }
  };
  return {
    normalize: text.normalize,
    *tokenize(aligned, emit) {
      for (const [begin, end] of text.words(aligned.text)) {
        emitWord(alignedPart(aligned, begin, end), emit);
        yield;
      }
    },
  };
}

function modelText(model: JsonObject, name: string, otherwise?: string): string {
  const value = model[name] ?? otherwise;
  if (typeof value === 'string') return value;
  throw new PruneError('corrupt', {
    where: 'tokenizer',
    what: `${name} of the model`,
    got: shown(value),
    wanted: 'a text',
  });
}

/** Whether a text has more than so many code points. */
function hasMoreCharacters(text: string, most: number): boolean {
  if (text.length <= most) return false;
  // A code point has two code units at most.
  return text.length > 2 * most || [...text].length > most;
}

function wordLength(characters: unknown, limits: TokenizerLimits): number {
  if (characters === undefined || characters === null) return WORD_CHARACTERS;
  if (typeof characters === 'number' && Number.isInteger(characters) && characters >= 0) {
    checkLimit('max_input_chars_per_word', characters, limits.wordCharacters, { where: 'tokenizer' });
    return characters;
  }
  throw new PruneError('corrupt', {
    where: 'tokenizer',
    what: 'max_input_chars_per_word',
    got: shown(characters),
    wanted: 'an integer >= 0',
  });
}
