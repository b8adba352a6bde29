import type { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { type JsonObject, PruneError, shown } from '@prune/core';
import { type AlignedText, alignedPart } from './aligned-text.js';
import { bertText } from './bert-text.js';
import { requireType } from './require-type.js';
import type { EmitToken, TokenizerModel } from './tokenizer-model.js';

/** BERT's normalizer, words and WordPiece, with offsets. Throws `corrupt`, or `unsupported` for other parts than BERT's. */
export function wordPiece(json: JsonObject, library: LibraryTokenizer): TokenizerModel {
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
  const prefix = modelText(model, 'continuing_subword_prefix', '##').length;
  checkWordLength(model.max_input_chars_per_word);
  const unknown = modelText(model, 'unk_token');
  const unknownId = library.token_to_id(unknown);
  if (unknownId === undefined) {
    throw new PruneError('corrupt', {
      where: 'tokenizer',
      what: 'unknown token is not in the vocabulary',
      got: unknown,
    });
  }

  const emitWord = ({ text: word, starts, ends }: AlignedText, emit: EmitToken): void => {
    const pieces = library.model!.encode([word]);
    if (pieces.length === 1 && pieces[0] === unknown && word !== unknown) {
      emit(unknownId, unknown, starts[0], ends[word.length - 1]);
      return;
    }
    let at = 0;
    for (const piece of pieces) {
      const next = at + piece.length - (at === 0 ? 0 : prefix);
      emit(library.token_to_id(piece) ?? unknownId, piece, starts[at], ends[next - 1]);
      at = next;
    }
  };
  return {
    normalize: text.normalize,
    tokenize(aligned, emit) {
      for (const [begin, end] of text.words(aligned.text)) emitWord(alignedPart(aligned, begin, end), emit);
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

/** The library compares words with it as it stands. */
function checkWordLength(characters: unknown): void {
  if (characters === undefined || characters === null) return;
  if (typeof characters === 'number' && Number.isInteger(characters) && characters >= 0) return;
  throw new PruneError('corrupt', {
    where: 'tokenizer',
    what: 'max_input_chars_per_word',
    got: shown(characters),
    wanted: 'an integer >= 0',
  });
}
