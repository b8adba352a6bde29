import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

/** A span of context tokens, both included. */
interface GoldenSpan {
  readonly first: number;
  readonly last: number;
  readonly score: number;
  readonly probability: number;
}

interface GoldenAnswers {
  /** Best first. */
  readonly spans: readonly GoldenSpan[];
  readonly none: { readonly score: number; readonly probability: number } | null;
}

/** Probabilities that Python's decimal arithmetic gives; tooling/fixtures/generators/make_probabilities.py makes them again and says of what. */
export const PROBABILITIES: {
  readonly softmax: readonly { readonly name: string; readonly scores: string[]; readonly probabilities: number[] }[];
  readonly sequences: readonly {
    readonly name: string;
    readonly logits: number[];
    readonly softmax: number[];
    readonly sigmoid: number[];
  }[];
  readonly tokens: {
    readonly logits: readonly number[][];
    readonly best: readonly { readonly label: string; readonly score: number }[];
  };
  readonly answers: {
    /** Rows of golden/tiny's logits, and the context token that each window begins with. */
    readonly windows: readonly { readonly row: number; readonly first: number }[];
    readonly '20': GoldenAnswers;
    readonly '40': GoldenAnswers;
    readonly '20 and none': GoldenAnswers;
  };
} = JSON.parse(readFileSync(new URL('../golden/probabilities.json', import.meta.url), 'utf8'));

/** Every number within `relative` of what is wanted: 1e-15 allows for float64's rounding in a softmax of a few dozen scores. */
export function expectNear(got: readonly number[], wanted: readonly number[], relative = 1e-15): void {
  expect(got).toHaveLength(wanted.length);
  for (const [i, value] of wanted.entries()) {
    expect(Math.abs(got[i] - value), `${i}: ${got[i]}, wanted ${value}`).toBeLessThanOrEqual(relative * value);
  }
}
