import { Tokenizer as LibraryTokenizer } from '@huggingface/tokenizers';
import { type JsonObject, PruneError } from '@prune/state-dict';
import { shown } from '../shown.js';
import { type AddedToken, addedTokenSplitter, alignedPart } from './added-tokens.js';
import { type AlignedText, alignedSlice } from './aligned-text.js';
import { bertText } from './bert-text.js';
import { isObject, type TokenizerFiles, tokenizerJson } from './tokenizer-json.js';

/** Tokens with where they came from. */
export interface TokenSpans {
  readonly ids: number[];
  /** For each token the first UTF-16 code unit of the original text that it covers. */
  readonly starts: number[];
  /** For each token one past its last code unit, so that `text.slice(start, end)` is what it covers. */
  readonly ends: number[];
}

/** A model's input: one text or two with the special tokens around them. */
export interface Encoding extends TokenSpans {
  /** 0 or 1 for each token. */
  readonly typeIds: number[];
  /** For each token: 0 for the first text, 1 for the second, -1 for a special token of the template (its offsets are 0). */
  readonly sequence: number[];
}

/** Where the special tokens go around one text or two. */
export interface SequenceTemplate {
  /** Each piece is a special token (its id), or one of the texts. */
  readonly pieces: readonly { readonly typeId: number; readonly text?: 0 | 1; readonly id: number }[];
  /** How many special tokens there are. */
  readonly specials: number;
}

/** Text to token ids, with offsets into the original text. */
export interface Tokenizer {
  /** The tokens of one text, without special tokens around it. Never truncated, never padded. */
  tokenize(text: string): TokenSpans;
  /** One text or two as the model wants them, special tokens around them. Never truncated, never padded. */
  encode(text: string, pair?: string): Encoding;
  readonly single: SequenceTemplate;
  readonly pair: SequenceTemplate;
  /** The token's string, `undefined` when there is no such id. */
  token(id: number): string | undefined;
  /** The id of a token's string, `undefined` when it is not in the vocabulary. */
  id(token: string): number | undefined;
}

/**
 * The tokenizer of a BERT model from its files (`tokenizer.json`, or `vocab.txt` with or without `tokenizer_config.json`). Truncation and
 * padding set in tokenizer.json are not used: this package makes its own windows. Equal in ids and offsets to transformers'
 * `BertTokenizerFast`. Throws `missing`, `corrupt`, or `unsupported` for a tokenizer that is not BERT's WordPiece.
 */
export function createTokenizer(files: TokenizerFiles): Tokenizer {
  const json = tokenizerJson(files);
  requireType(json, 'model', 'WordPiece');
  requireType(json, 'normalizer', 'BertNormalizer');
  requireType(json, 'pre_tokenizer', 'BertPreTokenizer');
  const added = addedTokens(json);
  const vocabularySize = Math.max(checkVocabulary(json.model as JsonObject), ...added.map(({ id }) => id + 1));
  const library = libraryTokenizer(json, added);

  const { normalizer } = json as { normalizer: JsonObject };
  const lowercase = normalizer.lowercase !== false;
  const text = bertText({
    cleanText: normalizer.clean_text !== false,
    handleChineseChars: normalizer.handle_chinese_chars !== false,
    stripAccents: typeof normalizer.strip_accents === 'boolean' ? normalizer.strip_accents : lowercase,
    lowercase,
  });
  const normalized = (content: string) => text.normalize(alignedSlice(content, 0, content.length)).text;
  const splitRaw = addedTokenSplitter(new Map(added.filter((t) => !t.normalized).map((t) => [t.content, t])));
  const splitNormalized = addedTokenSplitter(
    new Map(added.filter((t) => t.normalized).map((t) => [normalized(t.content), t])),
  );

  const prefix = modelText(json.model as JsonObject, 'continuing_subword_prefix', '##').length;
  const unknown = modelText(json.model as JsonObject, 'unk_token');
  const unknownId = library.token_to_id(unknown);
  if (unknownId === undefined) {
    throw new PruneError('corrupt', {
      where: 'tokenizer',
      what: 'unknown token is not in the vocabulary',
      got: unknown,
    });
  }

  const pushWord = (spans: TokenSpans, words: AlignedText, begin: number, end: number): void => {
    const word = words.text.slice(begin, end);
    const pieces = library.model!.encode([word]);
    if (pieces.length === 1 && pieces[0] === unknown && word !== unknown) {
      push(spans, unknownId, words.starts[begin], words.ends[end - 1]);
      return;
    }
    let at = begin;
    for (const piece of pieces) {
      const next = at + piece.length - (at === begin ? 0 : prefix);
      push(spans, library.token_to_id(piece) ?? unknownId, words.starts[at], words.ends[next - 1]);
      at = next;
    }
  };

  const tokenize = (original: string): TokenSpans => {
    const spans: TokenSpans = { ids: [], starts: [], ends: [] };
    for (const part of splitRaw(original)) {
      if (part.token !== undefined) {
        push(spans, part.token.id, part.begin, part.end);
        continue;
      }
      const aligned = text.normalize(alignedSlice(original, part.begin, part.end));
      for (const { begin, end, token } of splitNormalized(aligned.text)) {
        if (token !== undefined) push(spans, token.id, aligned.starts[begin], aligned.ends[end - 1]);
        else {
          const between = alignedPart(aligned, begin, end);
          for (const [first, last] of text.words(between.text)) pushWord(spans, between, first, last);
        }
      }
    }
    return spans;
  };

  const single = template(library, false);
  const pair = template(library, true);
  return {
    tokenize,
    encode(first, second) {
      const texts = second === undefined ? [tokenize(first)] : [tokenize(first), tokenize(second)];
      return applyTemplate(second === undefined ? single : pair, texts);
    },
    single,
    pair,
    token: (id) => (id >= 0 && id < vocabularySize ? library.id_to_token(id) : undefined),
    id: (token) => library.token_to_id(token),
  };
}

/** Puts the special tokens of a template around tokenized texts. */
export function applyTemplate({ pieces }: SequenceTemplate, texts: readonly TokenSpans[]): Encoding {
  const encoding: Encoding = { ids: [], starts: [], ends: [], typeIds: [], sequence: [] };
  const add = (id: number, start: number, end: number, typeId: number, sequence: number): void => {
    push(encoding, id, start, end);
    encoding.typeIds.push(typeId);
    encoding.sequence.push(sequence);
  };
  for (const piece of pieces) {
    if (piece.text === undefined) add(piece.id, 0, 0, piece.typeId, -1);
    else {
      const { ids, starts, ends } = texts[piece.text];
      for (let i = 0; i < ids.length; i++) add(ids[i], starts[i], ends[i], piece.typeId, piece.text);
    }
  }
  return encoding;
}

function push(spans: TokenSpans, id: number, start: number, end: number): void {
  spans.ids.push(id);
  spans.starts.push(start);
  spans.ends.push(end);
}

/** What the library's post-processor puts around one text or two, found by running it on stand-ins. */
function template(library: LibraryTokenizer, withPair: boolean): SequenceTemplate {
  // No vocabulary line holds a line feed.
  const standIns = ['\nfirst', '\nsecond'];
  const { tokens, token_type_ids } = ofLibrary(() =>
    library.post_processor
      ? library.post_processor([standIns[0]], withPair ? [standIns[1]] : null, true)
      : { tokens: standIns.slice(0, withPair ? 2 : 1), token_type_ids: undefined },
  );
  const pieces = tokens.map((token, i) => {
    const typeId = token_type_ids?.[i] ?? 0;
    const index = standIns.indexOf(token);
    if (index === 0 || index === 1) return { typeId, text: index as 0 | 1, id: -1 };
    const id = library.token_to_id(token);
    if (id !== undefined && (typeId === 0 || typeId === 1)) return { typeId, id };
    throw new PruneError('corrupt', {
      where: 'tokenizer',
      what: 'template names a special token that is not in the vocabulary',
      got: token,
    });
  });
  const texts = pieces.filter((piece) => piece.text !== undefined).map((piece) => piece.text);
  if (texts.join() !== (withPair ? '0,1' : '0')) {
    throw new PruneError('unsupported', {
      where: 'tokenizer',
      what: 'template does not hold each text once, in order',
    });
  }
  return { pieces, specials: pieces.length - texts.length };
}

function libraryTokenizer(json: JsonObject, added: readonly AddedToken[]): LibraryTokenizer {
  const model = { continuing_subword_prefix: '##', ...(json.model as JsonObject), type: 'WordPiece' };
  const complete = { decoder: null, post_processor: null, ...json, model, added_tokens: added };
  return ofLibrary(() => new LibraryTokenizer(complete, {}));
}

/** The library takes its files for well-formed: whatever it throws is a file that is not. */
function ofLibrary<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new PruneError('corrupt', { where: 'tokenizer', what: 'not a tokenizer that can be loaded', cause });
  }
}

function requireType(json: JsonObject, part: string, type: string): void {
  const value = json[part];
  const got = isObject(value) ? value.type : undefined;
  // Files of tokenizers < 0.9 have no type for the model.
  if (got === type || (part === 'model' && isObject(value) && got === undefined)) return;
  throw new PruneError('unsupported', {
    where: 'tokenizer',
    what: `${part} of this type`,
    got: shown(got),
    wanted: type,
  });
}

/** Checks that ids are distinct integers without large holes, because the library makes an array of them; returns one past the largest. */
function checkVocabulary({ vocab }: JsonObject): number {
  if (!isObject(vocab)) throw new PruneError('corrupt', { where: 'tokenizer', what: 'vocabulary is not an object' });
  // The values alone and a byte an id: entries and a Set take 30 ms more for BERT's 30,522 words.
  const ids = Object.values(vocab);
  const seen = new Uint8Array(2 * ids.length + 1024);
  let size = 0;
  for (const [at, id] of ids.entries()) {
    if (typeof id !== 'number' || !Number.isInteger(id) || !(id >= 0 && id < seen.length) || seen[id] === 1) {
      throw new PruneError('corrupt', {
        where: 'tokenizer',
        what: `id of token ${JSON.stringify(Object.keys(vocab)[at])}`,
        got: shown(id),
        wanted: 'integers, each once, without large holes',
      });
    }
    seen[id] = 1;
    size = Math.max(size, id + 1);
  }
  return size;
}

function addedTokens({ added_tokens: list }: JsonObject): AddedToken[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new PruneError('corrupt', { where: 'tokenizer', what: 'added_tokens is not a list' });
  return list.map((entry: unknown) => {
    if (!isObject(entry) || typeof entry.content !== 'string' || entry.content === '') {
      throw new PruneError('corrupt', { where: 'tokenizer', what: 'added token without content' });
    }
    const { id, content } = entry;
    checkId(content, id, 2 ** 24);
    return {
      id,
      content,
      singleWord: entry.single_word === true,
      lstrip: entry.lstrip === true,
      rstrip: entry.rstrip === true,
      normalized: entry.normalized === true,
    };
  });
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

function checkId(token: string, id: unknown, limit: number): asserts id is number {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < limit) return;
  throw new PruneError('corrupt', {
    where: 'tokenizer',
    what: `id of token ${JSON.stringify(token)}`,
    got: shown(id),
  });
}
