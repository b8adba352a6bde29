import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { checkArgument, isPruneError, type JsonObject, Pacer, PruneError } from '@prune/core';
import { addedTokenSplitter, addedTokens } from './added-tokens.js';
import { type AlignedText, alignedPart, alignedSlice } from './aligned-text.js';
import { byteLevelBpe } from './byte-level-bpe.js';
import { checkedBpe } from './checked-bpe.js';
import { isObject } from './is-object.js';
import { requireType } from './require-type.js';
import {
  applyTemplate,
  type Encoding,
  postProcessors,
  type SequenceTemplate,
  sequenceTemplate,
} from './sequence-template.js';
import { splitsPair } from './splits-pair.js';
import { pushToken, type TokenSpans } from './token-spans.js';
import { type TokenizerFiles, tokenizerJson } from './tokenizer-json.js';
import { DEFAULT_TOKENIZER_LIMITS, type TokenizerLimits } from './tokenizer-limits.js';
import { trimOffsets } from './trim-offsets.js';
import { vocabularyOf } from './vocabulary.js';
import { wordPiece } from './word-piece.js';

/** Characters that are normalized at once: well under 1 ms. */
const PIECE_CHARACTERS = 4096;

/** Text to token ids, with offsets into the original text. */
export interface Tokenizer {
  /** The tokens of one text, without special tokens around it. Never truncated, never padded. */
  tokenize(text: string): TokenSpans;
  /** The same, with returns to the event loop about every 20 ms, for long texts. Rejects with `aborted`. */
  tokenizeInTurns(text: string, signal?: AbortSignal): Promise<TokenSpans>;
  /** One text or two as the model wants them, special tokens around them. Never truncated, never padded. */
  encode(text: string, pair?: string): Encoding;
  readonly single: SequenceTemplate;
  readonly pair: SequenceTemplate;
  /** The token's string, `undefined` when there is no such id. */
  token(id: number): string | undefined;
  /** The id of a token's string, `undefined` when it is not in the vocabulary. */
  id(token: string): number | undefined;
}

/** Options of {@link createTokenizer}. */
export interface CreateTokenizerOptions {
  /** Default: `DEFAULT_TOKENIZER_LIMITS`. */
  readonly limits?: TokenizerLimits;
  /** The model's config.json: it may name the tokenizer's class, where tokenizer_config.json does not. */
  readonly config?: JsonObject;
}

/**
 * The tokenizer of a BERT or RoBERTa model from its files: `tokenizer.json`, or `vocab.txt` (WordPiece), or `vocab.json` and `merges.txt`
 * (byte-level BPE), and `tokenizer_config.json`, `special_tokens_map.json` and `added_tokens.json` where they are
 * there. Truncation and padding set in tokenizer.json are not used: this package makes its own windows. Equal in ids
 * and offsets to transformers' `BertTokenizerFast` and `RobertaTokenizerFast`. Throws `missing`, `corrupt`,
 * `unsupported` for a tokenizer of another kind or a tokenizer class that we do not have, or `limit` for one that would
 * take too much memory or time.
 */
export function createTokenizer(
  files: TokenizerFiles,
  { limits = DEFAULT_TOKENIZER_LIMITS, config = {} }: CreateTokenizerOptions = {},
): Tokenizer {
  const wanted = "a Map of the files' names and bytes, such as vocab.txt's";
  const fits = typeof files?.has === 'function' && typeof files.get === 'function';
  checkArgument(fits, { where: 'tokenizer', what: 'files of createTokenizer', wanted }, files);
  return tokenizerOf(tokenizerJson(files, config, limits), limits);
}

/** The tokenizer of a tokenizer.json, see {@link createTokenizer}. */
export function tokenizerOf(json: JsonObject, limits: TokenizerLimits): Tokenizer {
  const type = modelType(json);
  const added = addedTokens(json, limits);
  const vocabulary = vocabularyOf((json.model as JsonObject).vocab, limits);
  const trimming = postProcessors(json.post_processor, limits).find(({ trim_offsets }) => trim_offsets === true);
  const library = ofLibrary(() => libraryTokenizer(json, type, limits));
  const addedIds = new Map(added.map(({ content, id }) => [content, id]));
  const addedContents = new Map(added.map(({ content, id }) => [id, content]));
  const idOf = (token: string) => addedIds.get(token) ?? vocabulary.id(token);
  const model = type === 'BPE' ? byteLevelBpe(json, library) : wordPiece(json, vocabulary, idOf, limits);

  const normalized = (content: string) => model.normalize(alignedSlice(content, 0, content.length)).text;
  const splitRaw = addedTokenSplitter(new Map(added.filter((t) => !t.normalized).map((t) => [t.content, t])));
  const splitNormalized = addedTokenSplitter(
    new Map(added.filter((t) => t.normalized).map((t) => [normalized(t.content), t])),
  );

  /** Adds the tokens of a text to `spans`, word by word as it is iterated. */
  function* tokenizeInto(spans: TokenSpans, original: string): Generator<void> {
    const emit = (id: number, token: string, start: number, end: number): void => {
      if (trimming === undefined) {
        pushToken(spans, id, start, end);
        return;
      }
      const isFirst = spans.ids.length === 0;
      const addPrefixSpace = trimming.add_prefix_space === true;
      pushToken(spans, id, ...trimOffsets({ addPrefixSpace }, original, token, [start, end], isFirst));
    };
    for (const part of splitRaw(original)) {
      if (part.token !== undefined) {
        emit(part.token.id, original.slice(part.begin, part.end), part.begin, part.end);
        continue;
      }
      const aligned = yield* normalizePart(original, part.begin, part.end);
      for (const { begin, end, token } of splitNormalized(aligned.text)) {
        if (token === undefined) yield* model.tokenize(alignedPart(aligned, begin, end), emit);
        else emit(token.id, aligned.text.slice(begin, end), aligned.starts[begin], aligned.ends[end - 1]);
      }
    }
  }

  /** Normalizes a part of a text piece by piece, which gives the same because it is done per character. */
  function* normalizePart(original: string, begin: number, end: number): Generator<void, AlignedText> {
    const starts: number[] = [];
    const ends: number[] = [];
    let text = '';
    for (let at = begin; at < end; ) {
      let next = Math.min(at + PIECE_CHARACTERS, end);
      if (splitsPair(original, next)) next++;
      const piece = model.normalize(alignedSlice(original, at, next));
      text += piece.text;
      for (let i = 0; i < piece.starts.length; i++) {
        starts.push(piece.starts[i]);
        ends.push(piece.ends[i]);
      }
      at = next;
      yield;
    }
    return { text, starts, ends };
  }

  const tokenize = (text: string): TokenSpans => {
    const spans: TokenSpans = { ids: [], starts: [], ends: [] };
    for (const _ of tokenizeInto(spans, text));
    return spans;
  };
  const tokenizeInTurns = async (text: string, signal?: AbortSignal): Promise<TokenSpans> => {
    const pacer = new Pacer();
    const spans: TokenSpans = { ids: [], starts: [], ends: [] };
    await pacer.pause(signal);
    for (const _ of tokenizeInto(spans, text)) if (pacer.left <= 0) await pacer.pause(signal);
    return spans;
  };

  const single = ofLibrary(() => sequenceTemplate(library, json, idOf, false, limits));
  const pair = ofLibrary(() => sequenceTemplate(library, json, idOf, true, limits));
  return {
    tokenize,
    tokenizeInTurns,
    encode(first, second) {
      const texts = second === undefined ? [tokenize(first)] : [tokenize(first), tokenize(second)];
      return applyTemplate(second === undefined ? single : pair, texts);
    },
    single,
    pair,
    token: (id) => addedContents.get(id) ?? vocabulary.token(id),
    id: idOf,
  };
}

function modelType(json: JsonObject): 'BPE' | 'WordPiece' {
  const { model } = json;
  // Files of tokenizers < 0.9 have no type for the model.
  const type = isObject(model) ? (model.type ?? ('merges' in model ? 'BPE' : 'WordPiece')) : undefined;
  if (type === 'BPE') return type;
  if (type !== 'WordPiece') requireType(json, 'model', 'WordPiece or BPE');
  return 'WordPiece';
}

/**
 * Merging and template alone: normalizing, splitting and WordPiece are this package's, so that a WordPiece needs no
 * vocabulary here, and nothing is decoded. Added tokens are not in the vocabulary: as in the Rust tokenizer, no word is
 * made of a token that the splitter declined.
 */
function libraryTokenizer(json: JsonObject, type: string, limits: TokenizerLimits): LibraryTokenizer {
  const { post_processor = null } = json;
  const given = json.model as JsonObject;
  const model = type === 'BPE' ? checkedBpe(given, limits) : { continuing_subword_prefix: '##', ...given, vocab: {} };
  const complete = {
    normalizer: null,
    pre_tokenizer: null,
    decoder: null,
    post_processor,
    model: { ...model, type },
    added_tokens: [],
  };
  return new LibraryTokenizer(complete, {});
}

/** The library takes its files for well-formed: whatever it throws is a file that is not. */
function ofLibrary<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (isPruneError(cause)) throw cause;
    throw new PruneError('corrupt', { where: 'tokenizer', what: 'not a tokenizer that can be loaded', cause });
  }
}
