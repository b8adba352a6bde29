import { type JsonObject, type JsonParts, parseJson } from '@prune/core';
import { isObject } from './is-object.js';
import type { TokenizerLimits } from './tokenizer-limits.js';
import { vocabularyLines } from './vocabulary-lines.js';

/** A byte order mark, which is a token's own here, and which decoding leaves out. */
const MARK = [0xef, 0xbb, 0xbf];

/**
 * A tokenizer.json that is stored in two parts, parsed, with a Map for its vocabulary; `undefined` unless the part that
 * is a vocabulary is that of a WordPiece. Errors as `createTokenizer`'s.
 */
export function cutTokenizerJson({ json, lines }: JsonParts, limits: TokenizerLimits): JsonObject | undefined {
  const parsed = parseJson(json, 'tokenizer.json');
  const { model } = parsed;
  if (!isObject(model) || model.type === 'BPE' || 'merges' in model) return undefined;
  if (!isObject(model.vocab) || Object.keys(model.vocab).length > 0) return undefined;
  if (MARK.every((byte, i) => lines[i] === byte)) return undefined;
  // The last of equal tokens counts, as in the JSON text.
  const vocab = new Map<string, number>();
  for (const [id, line] of vocabularyLines(lines, 'tokenizer.json', limits).entries()) vocab.set(line, id);
  return { ...parsed, model: { ...model, vocab } };
}
