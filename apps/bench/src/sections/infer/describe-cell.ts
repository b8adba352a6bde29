import type { InferRow } from './infer-report.js';

/** One size of work as a line of the log. */
export function describeCell(rows: readonly InferRow[]): string {
  const [{ batch, tokens, threads }] = rows;
  const sides = rows.map(({ side, seconds }) => `${side} ${(1000 * seconds.median).toFixed(1)} ms`);
  return `${batch} x ${tokens} tokens, threads ${threads}: ${sides.join('; ')}`;
}
