import { checkLimit, type JsonObject, PruneError, shown } from '@prune/core';
import { isObject } from './is-object.js';
import type { TokenizerLimits } from './tokenizer-limits.js';

/** The attributes of a tokenizer that name special tokens, in the order in which transformers adds the tokens. */
const SPECIAL_ATTRIBUTES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

/**
 * A token as the files beside a vocabulary state it: an entry of tokenizer.json's `added_tokens`, with or without its
 * id.
 */
export interface StatedToken extends JsonObject {
  readonly id?: number;
  readonly content: string;
  readonly special: boolean;
  readonly normalized: boolean;
}

/** What the files beside a vocabulary say about its added tokens. */
export interface TokenSettings {
  /** tokenizer_config.json, with the special tokens of special_tokens_map.json where transformers reads that file. */
  readonly settings: JsonObject;
  /** added_tokens.json, where transformers reads it. */
  readonly ids: JsonObject;
}

/**
 * transformers reads special_tokens_map.json and added_tokens.json only if tokenizer_config.json has no
 * `added_tokens_decoder`; the special tokens of special_tokens_map.json then replace those of tokenizer_config.json.
 */
export function tokenSettings(config: JsonObject, map: JsonObject = {}, ids: JsonObject = {}): TokenSettings {
  if (config.added_tokens_decoder !== undefined) return { settings: config, ids: {} };
  const additional = [...list(config.additional_special_tokens), ...list(map.additional_special_tokens)];
  const stated = Object.entries(map).filter(([, value]) => value !== null);
  return { settings: { ...config, ...Object.fromEntries(stated), additional_special_tokens: additional }, ids };
}

/**
 * The tokens that transformers adds to a tokenizer, in its order: those that have an id, by their ids, then the special
 * tokens that are not among them. `ofClass` has the special tokens of the tokenizer's class by attribute, with what the
 * settings say of them. Throws `corrupt` for an entry that is not a token, `limit` for too many of them.
 */
export function statedTokens(
  { settings, ids }: TokenSettings,
  ofClass: JsonObject,
  limits: TokenizerLimits,
): StatedToken[] {
  const special = specialTokens(settings, ofClass, limits);
  const isSpecial = new Set(special.map(({ content }) => content));
  const decoder = decoderTokens(settings, isSpecial, limits);
  const withIds = [...decoder, ...idTokens(ids, settings, isSpecial, limits)].sort((a, b) => a.id - b.id);
  const tokens = new Map<string, StatedToken>(withIds.map((token) => [token.content, token]));
  const inDecoder = new Set(decoder.map(({ content }) => content));
  for (const { attribute, details, ...token } of special) {
    const { content } = token;
    const known = tokens.get(content);
    if (known === undefined) tokens.set(content, { ...details, ...token });
    // The details of an attribute win, except over those of `added_tokens_decoder` if tokenizer_config.json has the
    // attribute. The Rust tokenizer keeps the first `normalized` of a special token.
    else if (details !== undefined && !(inDecoder.has(content) && contentOf(settings[attribute]) === content)) {
      tokens.set(content, { ...details, ...token, id: known.id, normalized: known.normalized });
    }
  }
  return [...tokens.values()];
}

interface SpecialToken extends StatedToken {
  /** The attribute that names it. */
  readonly attribute: string;
  /** What the attribute says of it, if that is more than its text. */
  readonly details?: JsonObject;
}

/** The special tokens that attributes name, each once. */
function specialTokens(settings: JsonObject, ofClass: JsonObject, limits: TokenizerLimits): SpecialToken[] {
  const { additional_special_tokens: additional, extra_special_tokens: extra } = settings;
  // A dictionary before transformers 5, a list since.
  const values = [...list(additional), ...(isObject(extra) ? Object.values(extra) : list(extra))];
  checkLimit('added tokens', values.length, limits.addedTokens, { where: 'tokenizer' });
  const tokens = new Map<string, SpecialToken>();
  for (const [attribute, value] of [
    ...SPECIAL_ATTRIBUTES.map((name) => [name, ofClass[name] ?? settings[name]] as const),
    ...values.map((value) => ['additional_special_tokens', value] as const),
  ]) {
    const content = contentOf(value);
    if (content === undefined || content === '' || tokens.has(content)) continue;
    const details = isObject(value) && Object.keys(value).length > 1 ? value : undefined;
    tokens.set(content, { attribute, details, content, special: true, normalized: details?.normalized === true });
  }
  return [...tokens.values()];
}

/** A special token is its text, or an object with its `content`. */
function contentOf(value: unknown): string | undefined {
  const content = isObject(value) ? value.content : value;
  return typeof content === 'string' ? content : undefined;
}

/** The entries of `added_tokens_decoder`, which has a token for each id. */
function decoderTokens(
  { added_tokens_decoder: decoder = {} }: JsonObject,
  isSpecial: ReadonlySet<string>,
  limits: TokenizerLimits,
): (StatedToken & { id: number })[] {
  const where = 'tokenizer_config.json';
  if (!isObject(decoder)) throw new PruneError('corrupt', { where, what: 'added_tokens_decoder is not an object' });
  const entries = Object.entries(decoder);
  checkLimit('added tokens', entries.length, limits.addedTokens, { where });
  return entries.map(([key, token]) => {
    if (!isObject(token) || typeof token.content !== 'string') {
      throw new PruneError('corrupt', { where, what: 'added token without content', got: shown(key) });
    }
    const { content } = token;
    const special = token.special === true || isSpecial.has(content);
    const normalized = typeof token.normalized === 'boolean' ? token.normalized : !special;
    return { ...token, id: checkedId(key, content, where), content, special, normalized };
  });
}

/** The entries of added_tokens.json, which has an id for each token and says nothing else about it. */
function idTokens(
  ids: JsonObject,
  settings: JsonObject,
  isSpecial: ReadonlySet<string>,
  limits: TokenizerLimits,
): (StatedToken & { id: number })[] {
  const where = 'added_tokens.json';
  const entries = Object.entries(ids);
  checkLimit('added tokens', entries.length, limits.addedTokens, { where });
  // A special token that only the class knows is looked for in the normalized text, as in transformers.
  const stated = new Set(specialTokens(settings, {}, limits).map(({ content }) => content));
  return entries.map(([content, id]) => ({
    id: checkedId(id, content, where),
    content,
    special: isSpecial.has(content),
    normalized: !stated.has(content),
  }));
}

function checkedId(value: unknown, content: string, where: string): number {
  const id = typeof value === 'string' && /^\d{1,8}$/.test(value) ? Number(value) : value;
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0) return id;
  throw new PruneError('corrupt', {
    where,
    what: `id of token ${shown(content)}`,
    got: shown(value),
    wanted: 'an integer >= 0',
  });
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
