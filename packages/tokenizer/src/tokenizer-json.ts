import { type JsonObject, PruneError, parseJson, shown } from '@prune/core';
import { checkTokenizerClass } from './check-tokenizer-class.js';
import { isObject } from './is-object.js';
import { type StatedToken, statedTokens, tokenSettings } from './stated-tokens.js';
import type { TokenizerLimits } from './tokenizer-limits.js';
import { vocabularyLines } from './vocabulary-lines.js';

/** The files of a tokenizer by name, as `ModelMetadata.files` has them. */
export type TokenizerFiles = ReadonlyMap<string, Uint8Array>;

/** The special tokens of a vocabulary that comes without tokenizer.json, by their names in tokenizer_config.json. */
const BERT_TOKENS = {
  unk_token: '[UNK]',
  sep_token: '[SEP]',
  pad_token: '[PAD]',
  cls_token: '[CLS]',
  mask_token: '[MASK]',
};
const ROBERTA_TOKENS = {
  bos_token: '<s>',
  eos_token: '</s>',
  unk_token: '<unk>',
  sep_token: '</s>',
  pad_token: '<pad>',
  cls_token: '<s>',
  mask_token: '<mask>',
};

/**
 * The tokenizer.json among `files`, or the one that transformers would make of `vocab.txt`, or of `vocab.json` and
 * `merges.txt`. What the files beside it say goes into it, as `BertTokenizerFast` and `RobertaTokenizerFast` do it: the
 * settings of tokenizer_config.json (`do_lower_case`, `strip_accents` and `tokenize_chinese_chars`; `add_prefix_space`
 * and `trim_offsets`), and the special and added tokens of tokenizer_config.json, special_tokens_map.json and
 * added_tokens.json. `modelConfig` is the model's config.json, which may name the tokenizer's class. `parsedJson` is
 * tokenizer.json, where it was parsed already; its vocabulary may be a Map.
 * Throws `missing` without such files, `unsupported` for a class that we do not have, `corrupt` for bad JSON, a broken
 * vocabulary or added tokens that transformers would give other ids, `limit` for a huge file.
 */
export function tokenizerJson(
  files: TokenizerFiles,
  modelConfig: JsonObject,
  limits: TokenizerLimits,
  parsedJson?: JsonObject,
): JsonObject {
  const parsed = (name: string) => (files.has(name) ? parseFile(files, name) : undefined);
  const config = parsed('tokenizer_config.json') ?? {};
  if (files.size > 0) checkTokenizerClass(files, config, modelConfig);
  const beside = tokenSettings(config, parsed('special_tokens_map.json'), parsed('added_tokens.json'));
  const { settings } = beside;
  const given = parsedJson ?? parsed('tokenizer.json');
  if (given !== undefined) {
    const added_tokens = withOtherTokens(given, statedTokens(beside, {}, limits), settings);
    return withSettings({ ...given, added_tokens }, settings);
  }
  if (files.has('vocab.txt')) {
    const special = specialTokens(BERT_TOKENS, settings);
    const stated = statedTokens(beside, special, limits);
    return withSettings(wordPieceJson(readVocabulary(files, limits), special, stated), settings);
  }
  if (files.has('vocab.json') && files.has('merges.txt')) {
    const special = specialTokens(ROBERTA_TOKENS, settings, { lstrip: false, rstrip: false });
    // The mask is a word of its own: the blank before it belongs to it, unless a file says otherwise.
    const mask = isObject(settings.mask_token) ? special.mask_token : { ...special.mask_token, lstrip: true };
    const stated = statedTokens(beside, { ...special, mask_token: mask }, limits);
    return withSettings(
      byteLevelJson(parseFile(files, 'vocab.json'), readMerges(files, limits), special, stated),
      settings,
    );
  }
  throw new PruneError('missing', {
    where: 'tokenizer',
    what: 'the model comes without a tokenizer',
    got: files.size === 0 ? 'no files' : [...files.keys()].join(', '),
    wanted: 'tokenizer.json, or vocab.txt, or vocab.json and merges.txt',
  });
}

/** tokenizer.json with what tokenizer_config.json says otherwise. */
function withSettings(json: JsonObject, config: JsonObject): JsonObject {
  const { normalizer, pre_tokenizer: splitting } = json;
  if (isObject(normalizer) && normalizer.type === 'BertNormalizer') {
    const { do_lower_case: lowercase, strip_accents, tokenize_chinese_chars: handle_chinese_chars } = config;
    return { ...json, normalizer: { ...normalizer, ...booleans({ lowercase, strip_accents, handle_chinese_chars }) } };
  }
  if (isObject(splitting) && splitting.type === 'ByteLevel') {
    const { add_prefix_space, trim_offsets } = config;
    return {
      ...json,
      pre_tokenizer: { ...splitting, ...booleans({ add_prefix_space }) },
      post_processor: withTrimming(json.post_processor, booleans({ add_prefix_space, trim_offsets })),
    };
  }
  return json;
}

/** A post-processor whose steps that trim offsets have other settings. */
function withTrimming(json: unknown, settings: JsonObject): unknown {
  if (!isObject(json)) return json;
  if (Array.isArray(json.processors)) {
    return { ...json, processors: json.processors.map((step) => withTrimming(step, settings)) };
  }
  return 'trim_offsets' in json ? { ...json, ...settings } : json;
}

function booleans(settings: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => typeof value === 'boolean'));
}

function wordPieceJson(
  vocab: ReadonlyMap<string, number>,
  special: SpecialTokens<keyof typeof BERT_TOKENS>,
  stated: readonly StatedToken[],
): JsonObject {
  const vocabulary = knownTokens(vocab, 'vocab.txt');
  const { cls_token: cls, sep_token: sep, unk_token: unk } = special;
  requireTokens([unk, cls, sep], vocabulary, stated);
  const added = placedTokens(stated, [], vocabulary);
  const id = idsOf(added);
  return {
    added_tokens: added,
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: [sep.content, id(sep)], cls: [cls.content, id(cls)] },
    model: {
      type: 'WordPiece',
      unk_token: unk.content,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

function byteLevelJson(
  vocab: JsonObject,
  merges: readonly string[],
  { cls_token: cls, sep_token: sep }: SpecialTokens<keyof typeof ROBERTA_TOKENS>,
  stated: readonly StatedToken[],
): JsonObject {
  const vocabulary = knownTokens(vocab, 'vocab.json');
  requireTokens([cls, sep], vocabulary, stated);
  const added = placedTokens(stated, [], vocabulary);
  const id = idsOf(added);
  const byteLevel = { add_prefix_space: false, trim_offsets: true };
  return {
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', use_regex: true, ...byteLevel },
    post_processor: {
      type: 'RobertaProcessing',
      sep: [sep.content, id(sep)],
      cls: [cls.content, id(cls)],
      ...byteLevel,
    },
    model: { type: 'BPE', vocab, merges },
  };
}

type SpecialTokens<Names extends string> = Readonly<Record<Names, JsonObject & { readonly content: string }>>;

/**
 * The special tokens of a class by their attributes. tokenizer_config.json has one as a string, of which `plain` says
 * the rest, or as an object with its `content`.
 */
function specialTokens<Names extends string>(
  usual: Readonly<Record<Names, string>>,
  settings: JsonObject,
  plain: JsonObject = {},
) {
  const named = Object.entries<string>(usual).map(([name, content]) => {
    const value = settings[name];
    if (isObject(value) && typeof value.content === 'string') return [name, value];
    return [name, { ...plain, content: typeof value === 'string' ? value : content }];
  });
  return Object.fromEntries(named) as SpecialTokens<Names>;
}

/** The tokens of a model without those that are added to it. */
interface KnownTokens {
  /** The file that has it. */
  readonly where: string;
  readonly size: number;
  id(content: string): number | undefined;
}

function knownTokens(vocab: JsonObject | ReadonlyMap<string, number>, where: string): KnownTokens {
  if (vocab instanceof Map) return { where, size: vocab.size, id: (content) => vocab.get(content) };
  return {
    where,
    size: Object.keys(vocab).length,
    id: (content) => (Object.hasOwn(vocab, content) ? ((vocab as JsonObject)[content] as number) : undefined),
  };
}

/** Throws `corrupt` for a special token that is neither in the vocabulary nor among the tokens that have an id. */
function requireTokens(
  special: readonly { readonly content: string }[],
  { where, id }: KnownTokens,
  stated: readonly StatedToken[],
): void {
  for (const { content } of special) {
    if (id(content) !== undefined || stated.some((token) => token.id !== undefined && token.content === content))
      continue;
    throw new PruneError('corrupt', { where, what: 'special token is not in the vocabulary', wanted: content });
  }
}

function idsOf(added: readonly AddedEntry[]): (token: { readonly content: string }) => number | undefined {
  const ids = new Map(added.map(({ content, id }) => [content, id]));
  return ({ content }) => ids.get(content);
}

type AddedEntry = JsonObject & { readonly id: number; readonly content: string };

/** The `added_tokens` of a tokenizer.json with what only the files beside it say. */
function withOtherTokens(json: JsonObject, stated: readonly StatedToken[], settings: JsonObject): unknown {
  const { added_tokens: own = [], model } = json;
  // A broken list or vocabulary is found where tokenizer.json is checked.
  if (!Array.isArray(own) || !isObject(model) || !isObject(model.vocab)) return json.added_tokens;
  const existing = own.filter((token) => isObject(token) && typeof token.content === 'string') as AddedEntry[];
  const known = new Map(existing.map((token) => [token.content, token]));
  // Only `added_tokens_decoder` changes a token that tokenizer.json has.
  const replaces = settings.added_tokens_decoder !== undefined;
  const others = stated.filter((token) => (replaces && token.id !== undefined) || !known.has(token.content));
  if (others.length === 0) return own;
  for (const token of placedTokens(others, existing, knownTokens(model.vocab, 'tokenizer.json'))) {
    const before = known.get(token.content);
    // The Rust tokenizer goes on to look for a token where it did.
    const normalized =
      before === undefined || (before.special !== true && before.normalized !== true)
        ? token.normalized
        : before.normalized;
    known.set(token.content, { ...token, normalized });
  }
  return own.length === existing.length ? [...known.values()] : own;
}

/**
 * Gives tokens the ids that transformers gives them: a token's own if it is in the vocabulary or exists already,
 * otherwise the one after the largest. Throws `corrupt` for a token that a file states with another id: transformers'
 * slow tokenizers take the file's, its fast ones do not.
 */
function placedTokens(stated: readonly StatedToken[], existing: readonly AddedEntry[], vocabulary: KnownTokens) {
  const ids = new Map(existing.map(({ content, id }) => [content, id]));
  let next = vocabulary.size;
  for (const id of ids.values()) next = Math.max(next, id + 1);
  return stated.map((token): AddedEntry => {
    const { content } = token;
    const own = ids.get(content);
    const id = own ?? vocabulary.id(content) ?? next;
    ids.set(content, id);
    next = Math.max(next, id + 1);
    if (own === undefined && token.id !== undefined && token.id !== id) {
      throw new PruneError('corrupt', {
        where: 'tokenizer',
        what: `id of added token ${shown(content)}`,
        got: token.id,
        wanted: `${id}, its id in ${vocabulary.where} or the next one`,
      });
    }
    return { ...token, id };
  });
}

function readVocabulary(files: TokenizerFiles, limits: TokenizerLimits): Map<string, number> {
  const lines = readLines(files, 'vocab.txt', limits);
  if (lines.length === 0) throw new PruneError('corrupt', { where: 'vocab.txt', what: 'no entries in the vocabulary' });
  // transformers keeps the last of equal lines; so does a Map.
  return new Map(lines.map((line, id) => [line, id]));
}

/** One merge a line, the first line the version. */
function readMerges(files: TokenizerFiles, limits: TokenizerLimits): string[] {
  return readLines(files, 'merges.txt', limits).filter((line) => line !== '' && !line.startsWith('#version'));
}

function readLines(files: TokenizerFiles, name: string, limits: TokenizerLimits): string[] {
  return vocabularyLines(files.get(name), name, limits).map((line) => line.replace(/\r$/, ''));
}

function parseFile(files: TokenizerFiles, name: string): JsonObject {
  return parseJson(files.get(name)!, name);
}
