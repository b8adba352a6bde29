import { readFileSync } from 'node:fs';

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

/**
 * Probabilities computed by Python's decimal arithmetic. tooling/fixtures/generators/make_probabilities.py makes them,
 * and says of what.
 */
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
