import type { PhaseKind } from './pass-phases.js';

/** Some work of a kind; see `Phase.workOf`. */
interface Work {
  readonly kind: PhaseKind;
  readonly work: number;
}

// ms for a unit of work before anything was measured: three to four times the medians of `wasm-simd` on an EPYC that
// other programs kept busy (1.8e-6, 7e-7 and 1.3e-4), because code that an engine has not optimized yet takes that
// long.
/** A byte of a weight stream, for a tile. */
const LINEAR = 6e-6;
/** A query's product with a key, for each feature of a head. */
const ATTENTION = 2.5e-6;
/** A feature of a tile that is read and written a few times. */
const FEATURE = 5e-4;

const FIRST_RATES: Readonly<Record<PhaseKind, number>> = {
  load: FEATURE,
  queryKeyValue: LINEAR,
  attention: ATTENTION,
  attentionOutput: LINEAR,
  attentionNorm: FEATURE,
  intermediate: LINEAR,
  output: LINEAR,
  outputNorm: FEATURE,
  store: FEATURE,
};

/** What a coarse clock measures as 0. */
const LEAST_MS = 0.001;

/** How long phases take, by the last jobs that were measured. */
export class PhaseTimes {
  /** ms for a unit of a kind's work. */
  readonly #rates = { ...FIRST_RATES };

  /** How many ms some work takes. */
  expected({ kind, work }: Work): number {
    return this.#rates[kind] * work;
  }

  /**
   * Takes in how long some work took. If the kinds of it took longer than expected together, each did in proportion.
   */
  add(parts: readonly Work[], ms: number): void {
    const expected = parts.reduce((sum, part) => sum + this.expected(part), 0);
    if (expected === 0) return;
    const kinds = new Set(parts.filter(({ work }) => work > 0).map(({ kind }) => kind));
    for (const kind of kinds) this.#rates[kind] *= Math.max(LEAST_MS, ms) / expected;
  }
}
