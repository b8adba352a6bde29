import { checkLimit, type JsonObject, PruneError, shown } from '@prune/core';
import { codePointSet } from './code-point-set.js';
import { isObject } from './is-object.js';
import { isWhiteSpace } from './is-white-space.js';
import type { TokenizerLimits } from './tokenizer-limits.js';
import { WORD } from './unicode-classes.js';

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

/**
 * The entries of tokenizer.json's `added_tokens`, checked. Throws `corrupt`, or `limit` for too many or too long ones.
 */
export function addedTokens({ added_tokens: list }: JsonObject, limits: TokenizerLimits): AddedToken[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new PruneError('corrupt', { where: 'tokenizer', what: 'added_tokens is not a list' });
  checkLimit('added tokens', list.length, limits.addedTokens, { where: 'tokenizer' });
  let characters = 0;
  return list.map((entry: unknown) => {
    if (!isObject(entry) || typeof entry.content !== 'string' || entry.content === '') {
      throw new PruneError('corrupt', { where: 'tokenizer', what: 'added token without content' });
    }
    const { id, content } = entry;
    checkLimit('characters of an added token', content.length, limits.addedTokenLength, { where: 'tokenizer' });
    characters += content.length;
    checkLimit('characters of all added tokens', characters, limits.addedCharacters, { where: 'tokenizer' });
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

/**
 * Splits `text` at the added tokens: the leftmost match first, the longest of several. Parts cover the text and may be
 * empty only if it is. Not a regular expression of all tokens: 100,000 of them took 2.7 s to compile and 400 MB.
 */
export function addedTokenSplitter(tokens: ReadonlyMap<string, AddedToken>): (text: string) => TextPart[] {
  const root = treeOf(tokens);
  if (root.next === undefined) return (text) => [{ begin: 0, end: text.length }];
  const isWord = codePointSet(WORD);
  const isWordCharacter = (codePoint: number | undefined) => codePoint !== undefined && isWord(codePoint);
  return (text) => {
    const parts: TextPart[] = [];
    let done = 0;
    for (let next = 0; next < text.length; ) {
      const found = tokenAt(root, text, next);
      if (found === undefined) {
        next += text.codePointAt(next)! > 0xffff ? 2 : 1;
        continue;
      }
      const { token, length } = found;
      let begin = next;
      let end = begin + length;
      next = end;
      if (
        token.singleWord &&
        (isWordCharacter(characterBefore(text, begin)) || isWordCharacter(text.codePointAt(end)))
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

/** A node of the tree of all tokens, code point by code point: what a text has there so far. */
interface TokenNode {
  token?: AddedToken;
  next?: Map<number, TokenNode>;
}

function treeOf(tokens: ReadonlyMap<string, AddedToken>): TokenNode {
  const root: TokenNode = {};
  for (const [content, token] of tokens) {
    if (content === '') continue;
    let node = root;
    for (const character of content) {
      const codePoint = character.codePointAt(0)!;
      node.next ??= new Map();
      const next: TokenNode = node.next.get(codePoint) ?? {};
      node.next.set(codePoint, next);
      node = next;
    }
    node.token = token;
  }
  return root;
}

/** The longest token that the text has at `at`, where a character begins, and its length there. */
function tokenAt(root: TokenNode, text: string, at: number): { token: AddedToken; length: number } | undefined {
  let found: { token: AddedToken; length: number } | undefined;
  let node: TokenNode | undefined = root;
  for (let end = at; end < text.length; ) {
    const codePoint: number = text.codePointAt(end)!;
    node = node.next?.get(codePoint);
    if (node === undefined) break;
    end += codePoint > 0xffff ? 2 : 1;
    if (node.token !== undefined) found = { token: node.token, length: end - at };
  }
  return found;
}

function characterBefore(text: string, at: number): number | undefined {
  if (at === 0) return undefined;
  const pair = at > 1 ? text.codePointAt(at - 2)! : 0;
  return pair > 0xffff ? pair : text.charCodeAt(at - 1);
}

function checkId(token: string, id: unknown, limit: number): asserts id is number {
  if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < limit) return;
  throw new PruneError('corrupt', {
    where: 'tokenizer',
    what: `id of token ${shown(token)}`,
    got: shown(id),
  });
}
