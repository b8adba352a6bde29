/** One of the things that are compared: `run` measures it once. */
export interface Side<T> {
  readonly name: string;
  run(round: number): Promise<T>;
}

/** Fewer rounds than this have no quartiles to speak of. */
const LEAST_ROUNDS = 5;

/** Options of {@link interleave}. */
export interface InterleaveOptions {
  readonly rounds: number;
  /** Seconds after which no further round begins, once there were {@link LEAST_ROUNDS}. Default: none. */
  readonly budget?: number;
  /** Rounds that are run first and thrown away: they fill the page cache and warm the machine up. */
  readonly warmup?: number;
  readonly onRound?: (done: number, all: number) => void;
}

/**
 * Measures every side once a round, A B C, C B A, A B C, ...: what drifts (clock, neighbours, heat) drifts for all of them. One runs at a time.
 * Returns every side's measurements in the order of the rounds, as many of each.
 */
export async function interleave<T>(
  sides: readonly Side<T>[],
  { rounds, budget = Number.POSITIVE_INFINITY, warmup = 1, onRound }: InterleaveOptions,
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>(sides.map(({ name }) => [name, []]));
  const start = performance.now();
  for (let round = -warmup; round < rounds; round++) {
    if (round >= LEAST_ROUNDS && performance.now() - start > 1000 * budget) break;
    for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
      const result = await side.run(round);
      if (round >= 0) results.get(side.name)!.push(result);
    }
    onRound?.(round + warmup + 1, rounds + warmup);
  }
  return results;
}

/** The ratio of two sides round by round, `numerator[i] / denominator[i]`: what drifted in a round cancels. */
export function ratios(numerator: readonly number[], denominator: readonly number[]): number[] {
  return numerator.map((value, i) => value / denominator[i]);
}
