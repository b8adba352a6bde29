/** Tokens with where they came from. */
export interface TokenSpans {
  readonly ids: number[];
  /** For each token the first UTF-16 code unit of the original text that it covers. */
  readonly starts: number[];
  /** For each token one past its last code unit, so that `text.slice(start, end)` is what it covers. */
  readonly ends: number[];
}

/** Puts a token at the end. */
export function pushToken(spans: TokenSpans, id: number, start: number, end: number): void {
  spans.ids.push(id);
  spans.starts.push(start);
  spans.ends.push(end);
}

/** Tokens `[begin, end)`. */
export function sliceTokens({ ids, starts, ends }: TokenSpans, begin: number, end: number): TokenSpans {
  return { ids: ids.slice(begin, end), starts: starts.slice(begin, end), ends: ends.slice(begin, end) };
}
