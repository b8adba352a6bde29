import { interleave, ratios } from '../../harness/interleave.js';
import { quantile, type Summary, summarize } from '../../harness/summary.js';
import type { ForkedSide } from './fork-side.js';
import type { InferRow, Latency } from './infer-report.js';
import type { Work } from './side.js';

/** Options of {@link measureCell}. */
export interface MeasureCellOptions {
  readonly rounds: number;
  /** All sides together: large batches get fewer rounds, five at least. */
  readonly seconds: number;
}

/** One size of work, measured. */
export interface Cell {
  readonly rows: readonly InferRow[];
  /** The time of `slower` over that of `faster`, round by round. `undefined` where one of them was not measured. */
  times(slower: string, faster: string): Summary | undefined;
}

/** Passes that are timed in a round, after one that is not; one alone where a pass is long. */
const RUNS = 3;
const LONG_TOKENS = 384;

/** Larger batches are not given to the WebAssembly peer: a pass takes many seconds. */
const MOST_WEB_TOKENS = 512;

/** Measures sides of one model at one size of work, in interleaved rounds. */
export async function measureCell(
  model: string,
  work: Work,
  threads: number,
  sides: readonly ForkedSide[],
  { rounds, seconds: budget }: MeasureCellOptions,
): Promise<Cell> {
  const { batch, tokens } = work;
  const able = sides.filter(({ name }) => !name.startsWith('onnxruntime-web') || batch * tokens <= MOST_WEB_TOKENS);
  const count = batch * tokens >= LONG_TOKENS ? 1 : RUNS;
  const runs = await interleave(
    able.map((side) => ({ name: side.name, run: () => side.time(work, count) })),
    { rounds, budget },
  );
  const medians = (side: string) => runs.get(side)?.map((seconds) => summarize(seconds).median);
  const times = (slower: string, faster: string) => {
    const [a, b] = [medians(slower), medians(faster)];
    return a && b && summarize(ratios(a, b));
  };
  const ours = able.filter(({ name }) => name.startsWith('prune')).map(({ name }) => name);
  const rows = able.map(({ name }): InferRow => {
    const seconds = latency(runs.get(name)!.flat());
    const row = { model, tokens, batch, threads, side: name, seconds, throughput: (batch * tokens) / seconds.median };
    if (name.startsWith('prune')) return row;
    return { ...row, oursTimesFaster: Object.fromEntries(ours.map((our) => [our, times(name, our)!])) };
  });
  return { rows, times };
}

function latency(samples: readonly number[]): Latency {
  const sorted = [...samples].sort((a, b) => a - b);
  return { ...summarize(samples), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99) };
}
