import { type JsonObject, PruneError, shown } from '@prune/core';
import { isWhiteSpace } from './is-white-space.js';
import { isObject } from './tokenizer-json.js';

/** An entry of tokenizer.json's `added_tokens`. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Only where it is not part of a longer word. */
  readonly singleWord: boolean;
  /** Swallows the white space before it. */
  readonly lstrip: boolean;
  /** Swallows the white space after it. */
  readonly rstrip: boolean;
  /** Looked for in the normalized text instead of the text as given. */
  readonly normalized: boolean;
}

/** A part of a text: one added token, or the text between them. */
export interface TextPart {
  readonly begin: number;
  readonly end: number;
  readonly token?: AddedToken;
}

/** The entries of tokenizer.json's `added_tokens`, checked. Throws `corrupt`. */
export function addedTokens({ added_tokens: list }: JsonObject): AddedToken[] {
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

/** Splits `text` at the added tokens: the leftmost match first, the longest of several. Parts cover the text and may be empty only if it is. */
export function addedTokenSplitter(tokens: ReadonlyMap<string, AddedToken>): (text: string) => TextPart[] {
  const contents = [...tokens.keys()].filter((content) => content !== '').sort((a, b) => b.length - a.length);
  if (contents.length === 0) return (text) => [{ begin: 0, end: text.length }];
  const pattern = new RegExp(contents.map(escapeRegExp).join('|'), 'gu');
  return (text) => {
    const parts: TextPart[] = [];
    let done = 0;
    for (const match of text.matchAll(pattern)) {
      const token = tokens.get(match[0])!;
      let begin = match.index;
      let end = begin + match[0].length;
      if (
        token.singleWord &&
        (/[\p{L}\p{N}_]$/u.test(text.slice(0, begin)) || /^[\p{L}\p{N}_]/u.test(text.slice(end)))
      ) {
        continue;
      }
      // White space is one code unit each.
      while (token.lstrip && begin > done && isWhiteSpace(text.charCodeAt(begin - 1))) begin--;
      while (token.rstrip && end < text.length && isWhiteSpace(text.charCodeAt(end))) end++;
      if (begin > done) parts.push({ begin: done, end: begin });
      parts.push({ begin, end, token });
      done = end;
    }
    if (done < text.length || parts.length === 0) parts.push({ begin: done, end: text.length });
    return parts;
  };
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

function checkId(token: string, id: unknown, limit: number): asserts id is number {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < limit) return;
  throw new PruneError('corrupt', {
    where: 'tokenizer',
    what: `id of token ${JSON.stringify(token)}`,
    got: shown(id),
  });
}
