/** Bounds on the spans of one window that are looked at. */
export interface SpanOptions {
  /** How many of the best starts are paired with how many of the best ends. */
  readonly candidates: number;
  /** Most tokens of an answer. */
  readonly maxAnswerLength: number;
}

/** A span of tokens `[start, end]`, both included. */
export interface TokenSpan {
  readonly start: number;
  readonly end: number;
  /** Start logit plus end logit. */
  readonly score: number;
}

/**
 * The spans of one window, best first: of the `candidates` best starts and ends of the whole window every pair with `start <= end`, both in
 * `[begin, end)` and at most `maxAnswerLength` tokens. Equal scores keep the order of their starts' and then ends' logits, then of position.
 */
export function bestSpans(
  startLogits: ArrayLike<number>,
  endLogits: ArrayLike<number>,
  context: { readonly begin: number; readonly end: number },
  { candidates, maxAnswerLength }: SpanOptions,
): TokenSpan[] {
  const inside = (position: number) => position >= context.begin && position < context.end;
  const starts = best(startLogits, candidates).filter(inside);
  const ends = best(endLogits, candidates).filter(inside);
  const spans: TokenSpan[] = [];
  for (const start of starts) {
    for (const end of ends) {
      if (start <= end && end - start < maxAnswerLength) {
        spans.push({ start, end, score: startLogits[start] + endLogits[end] });
      }
    }
  }
  return spans.sort((a, b) => b.score - a.score);
}

/** The positions of the largest values, largest first; NaN is never one. */
function best(logits: ArrayLike<number>, count: number): number[] {
  return Array.from(logits, (_, position) => position)
    .filter((position) => !Number.isNaN(logits[position]))
    .sort((a, b) => logits[b] - logits[a] || a - b)
    .slice(0, count);
}
