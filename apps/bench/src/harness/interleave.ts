/** One of the things that are compared: `run` measures it once. */
export interface Side<T> {
  readonly name: string;
  run(round: number): Promise<T>;
}

/** Options of {@link interleave}. */
export interface InterleaveOptions {
  readonly rounds: number;
  /** Rounds that are run first and thrown away: they fill the page cache and warm the machine up. */
  readonly warmup?: number;
  readonly onRound?: (done: number, all: number) => void;
}

/**
 * Measures every side once a round, A B C, C B A, A B C, ...: what drifts (clock, neighbours, heat) drifts for all of them. One runs at a time.
 * Returns every side's measurements in the order of the rounds.
 */
export async function interleave<T>(
  sides: readonly Side<T>[],
  { rounds, warmup = 1, onRound }: InterleaveOptions,
): Promise<Map<string, T[]>> {
  const results = new Map<string, T[]>(sides.map(({ name }) => [name, []]));
  for (let round = -warmup; round < rounds; round++) {
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
