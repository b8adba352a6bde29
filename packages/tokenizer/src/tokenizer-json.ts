import { checkLimit, type JsonObject, PruneError, parseJson } from '@prune/core';
import type { TokenizerLimits } from './tokenizer-limits.js';

/** The files of a tokenizer by name, as `ModelMetadata.files` has them. */
export type TokenizerFiles = ReadonlyMap<string, Uint8Array>;

type SpecialTokens = Readonly<Record<'pad_token' | 'unk_token' | 'cls_token' | 'sep_token' | 'mask_token', string>>;

/** The special tokens of a vocabulary that comes without tokenizer.json, by their names in tokenizer_config.json. */
const BERT_TOKENS: SpecialTokens = {
  pad_token: '[PAD]',
  unk_token: '[UNK]',
  cls_token: '[CLS]',
  sep_token: '[SEP]',
  mask_token: '[MASK]',
};
const ROBERTA_TOKENS: SpecialTokens = {
  pad_token: '<pad>',
  unk_token: '<unk>',
  cls_token: '<s>',
  sep_token: '</s>',
  mask_token: '<mask>',
};

/**
 * The tokenizer.json among `files`, or the one that transformers would make of `vocab.txt`, or of `vocab.json` and `merges.txt`. What
 * tokenizer_config.json says goes into it, as `BertTokenizerFast` and `RobertaTokenizerFast` do it: `do_lower_case`, `strip_accents` and
 * `tokenize_chinese_chars`; `add_prefix_space` and `trim_offsets`.
 * Throws `missing` without such files, `corrupt` for bad JSON or a broken vocabulary, `limit` for a huge one.
 */
export function tokenizerJson(files: TokenizerFiles, limits: TokenizerLimits): JsonObject {
  const config = files.has('tokenizer_config.json') ? parseFile(files, 'tokenizer_config.json') : {};
  if (files.has('tokenizer.json')) return withSettings(parseFile(files, 'tokenizer.json'), config);
  if (files.has('vocab.txt')) return withSettings(wordPieceJson(readVocabulary(files, limits), config), config);
  if (files.has('vocab.json') && files.has('merges.txt')) {
    return withSettings(byteLevelJson(parseFile(files, 'vocab.json'), readMerges(files, limits), config), config);
  }
  throw new PruneError('missing', {
    where: 'tokenizer',
    what: 'the model comes without a tokenizer',
    got: files.size === 0 ? 'no files' : [...files.keys()].join(', '),
    wanted: 'tokenizer.json, or vocab.txt, or vocab.json and merges.txt',
  });
}

/** Whether a parsed JSON value is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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

function wordPieceJson(vocab: ReadonlyMap<string, number>, config: JsonObject): JsonObject {
  const special = specialTokens(BERT_TOKENS, config);
  const { cls_token: cls, sep_token: sep, unk_token: unk } = special;
  const id = idsOf((content) => vocab.get(content), 'vocab.txt');
  return {
    added_tokens: [...new Set(Object.values(special))]
      .filter((content) => vocab.has(content))
      .map((content) => ({ id: id(content), content, special: true, normalized: false })),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: [sep, id(sep)], cls: [cls, id(cls)] },
    model: {
      type: 'WordPiece',
      unk_token: unk,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocab),
    },
  };
}

function byteLevelJson(vocab: JsonObject, merges: readonly string[], config: JsonObject): JsonObject {
  const special = specialTokens(ROBERTA_TOKENS, config);
  const { cls_token: cls, sep_token: sep, mask_token: mask } = special;
  const id = idsOf((content) => (Object.hasOwn(vocab, content) ? vocab[content] : undefined), 'vocab.json');
  const byteLevel = { add_prefix_space: false, trim_offsets: true };
  return {
    added_tokens: [...new Set(Object.values(special))]
      .filter((content) => Object.hasOwn(vocab, content))
      // The mask is a word of its own: the blank before it belongs to it.
      .map((content) => ({ id: id(content), content, special: true, normalized: false, lstrip: content === mask })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', use_regex: true, ...byteLevel },
    post_processor: { type: 'RobertaProcessing', sep: [sep, id(sep)], cls: [cls, id(cls)], ...byteLevel },
    model: { type: 'BPE', vocab, merges },
  };
}

/** tokenizer_config.json has a special token as a string, or as an object with its `content`. */
function specialTokens(usual: SpecialTokens, config: JsonObject): SpecialTokens {
  const named = Object.keys(usual).flatMap((name) => {
    const value = config[name];
    const content = isObject(value) ? value.content : value;
    return typeof content === 'string' ? [[name, content]] : [];
  });
  return { ...usual, ...Object.fromEntries(named) };
}

/** The id of a special token. Throws `corrupt` for one that is not in the vocabulary. */
function idsOf<T>(find: (content: string) => T | undefined, where: string): (content: string) => T {
  return (content) => {
    const found = find(content);
    if (found !== undefined) return found;
    throw new PruneError('corrupt', { where, what: 'special token is not in the vocabulary', wanted: content });
  };
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
  const lines = decode(files, name).split('\n', limits.vocabulary + 2);
  if (lines.at(-1) === '') lines.pop();
  checkLimit('lines', lines.length, limits.vocabulary, { where: name });
  return lines.map((line) => line.replace(/\r$/, ''));
}

function parseFile(files: TokenizerFiles, name: string): JsonObject {
  return parseJson(files.get(name)!, name);
}

function decode(files: TokenizerFiles, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(files.get(name));
  } catch (cause) {
    throw new PruneError('corrupt', { where: name, what: 'not UTF-8', cause });
  }
}
