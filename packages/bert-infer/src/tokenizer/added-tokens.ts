import type { AlignedText } from './aligned-text.js';

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
      if (token.lstrip) begin = Math.max(done, text.slice(0, begin).trimEnd().length);
      if (token.rstrip) end = text.length - text.slice(end).trimStart().length;
      if (begin > done) parts.push({ begin: done, end: begin });
      parts.push({ begin, end, token });
      done = end;
    }
    if (done < text.length || parts.length === 0) parts.push({ begin: done, end: text.length });
    return parts;
  };
}

/** The part `[begin, end)` of an aligned text. */
export function alignedPart({ text, starts, ends }: AlignedText, begin: number, end: number): AlignedText {
  return { text: text.slice(begin, end), starts: starts.slice(begin, end), ends: ends.slice(begin, end) };
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
