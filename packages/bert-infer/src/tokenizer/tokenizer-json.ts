import { type JsonObject, PruneError } from '@prune/state-dict';

/** The files of a tokenizer by name, as `ModelMetadata.files` has them. */
export type TokenizerFiles = ReadonlyMap<string, Uint8Array>;

// 250,000 entries is the largest vocabulary of the BERT family (XLM-R); this bounds what a file can make us build.
const MAX_VOCABULARY = 2_000_000;

/** The special tokens of a vocabulary that comes without tokenizer.json, by their names in tokenizer_config.json. */
const SPECIAL_TOKENS = {
  pad_token: '[PAD]',
  unk_token: '[UNK]',
  cls_token: '[CLS]',
  sep_token: '[SEP]',
  mask_token: '[MASK]',
} as const;

/**
 * The tokenizer.json among `files`, or the one that transformers would make of `vocab.txt`; `do_lower_case`, `strip_accents` and
 * `tokenize_chinese_chars` of tokenizer_config.json go into its normalizer, as `BertTokenizerFast` does it.
 * Throws `missing` without either file, `corrupt` for bad JSON or a broken vocabulary.
 */
export function tokenizerJson(files: TokenizerFiles): JsonObject {
  const config = files.has('tokenizer_config.json') ? parseObject(files, 'tokenizer_config.json') : {};
  if (files.has('tokenizer.json')) {
    const json = parseObject(files, 'tokenizer.json');
    const { normalizer } = json;
    if (!isObject(normalizer) || normalizer.type !== 'BertNormalizer') return json;
    return { ...json, normalizer: { ...normalizer, ...normalizerSettings(config) } };
  }
  if (files.has('vocab.txt')) return fromVocabulary(readVocabulary(files), config);
  throw new PruneError('missing', {
    where: 'tokenizer',
    what: 'the model comes without a tokenizer',
    got: files.size === 0 ? 'no files' : [...files.keys()].join(', '),
    wanted: 'tokenizer.json or vocab.txt',
  });
}

/** Whether a parsed JSON value is an object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function normalizerSettings(config: JsonObject): JsonObject {
  const settings: { [name: string]: unknown } = {};
  if (typeof config.do_lower_case === 'boolean') settings.lowercase = config.do_lower_case;
  if (typeof config.strip_accents === 'boolean') settings.strip_accents = config.strip_accents;
  if (typeof config.tokenize_chinese_chars === 'boolean') settings.handle_chinese_chars = config.tokenize_chinese_chars;
  return settings;
}

function fromVocabulary(vocab: ReadonlyMap<string, number>, config: JsonObject): JsonObject {
  const special = Object.fromEntries(
    Object.entries(SPECIAL_TOKENS).map(([name, usual]) => [name, specialToken(config[name]) ?? usual]),
  );
  const id = (content: string): number => {
    const found = vocab.get(content);
    if (found !== undefined) return found;
    throw new PruneError('corrupt', {
      where: 'vocab.txt',
      what: 'special token is not in the vocabulary',
      wanted: content,
    });
  };
  const { cls_token: cls, sep_token: sep, unk_token: unk } = special;
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
      ...normalizerSettings(config),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: [sep, id(sep)], cls: [cls, id(cls)] },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: unk,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocab),
    },
  };
}

/** tokenizer_config.json has a special token as a string, or as an object with its `content`. */
function specialToken(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return isObject(value) && typeof value.content === 'string' ? value.content : undefined;
}

function readVocabulary(files: TokenizerFiles): Map<string, number> {
  const lines = decode(files, 'vocab.txt').split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length === 0 || lines.length > MAX_VOCABULARY) {
    throw new PruneError('limit', {
      where: 'vocab.txt',
      what: 'entries in the vocabulary',
      got: lines.length,
      wanted: `1 to ${MAX_VOCABULARY}`,
    });
  }
  // transformers keeps the last of equal lines; so does a Map.
  return new Map(lines.map((line, id) => [line.replace(/\r$/, ''), id]));
}

function parseObject(files: TokenizerFiles, name: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(decode(files, name));
  } catch (cause) {
    throw new PruneError('corrupt', { where: name, what: 'not JSON', cause });
  }
  if (isObject(value)) return value;
  throw new PruneError('corrupt', { where: name, what: 'wrong JSON', got: typeof value, wanted: 'an object' });
}

function decode(files: TokenizerFiles, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(files.get(name));
  } catch (cause) {
    throw new PruneError('corrupt', { where: name, what: 'not UTF-8', cause });
  }
}
