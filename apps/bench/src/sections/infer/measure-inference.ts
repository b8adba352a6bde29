import { describeCell } from './describe-cell.js';
import { forkSides, type OnMissing } from './fork-sides.js';
import type { Agreement, InferRow } from './infer-report.js';
import { kernelsHere } from './kernels-here.js';
import { measureCell } from './measure-cell.js';
import { proveAgreement } from './prove-agreement.js';
import { readyOf, type SidesReady } from './ready-of.js';
import type { Work } from './side.js';
import { type InferFiles, sidesOf } from './sides.js';

/** Options of {@link measureInference}. */
export interface MeasureInferenceOptions {
  readonly rounds: number;
  readonly threads: readonly number[];
  readonly work: readonly Work[];
  readonly onMissing: OnMissing;
  readonly log?: (line: string) => void;
}

/** Seconds for one size of work, all sides together. */
const CELL_SECONDS = 20;

/**
 * Every side of one model at every size of work, in interleaved rounds. Each is a process of its own, stopped while the
 * others run.
 */
export async function measureInference(
  model: string,
  files: InferFiles,
  { rounds, threads, work, onMissing, log = () => {} }: MeasureInferenceOptions,
): Promise<SidesReady & { agreement: readonly Agreement[]; rows: readonly InferRow[] }> {
  const { others } = await kernelsHere();
  let agreement: Agreement[] | undefined;
  let ready: SidesReady = { kernels: {}, versions: {} };
  const rows: InferRow[] = [];
  for (const count of threads) {
    const sides = await forkSides(sidesOf(files, count, others), onMissing);
    try {
      agreement ??= await proveAgreement(model, files, sides);
      ready = readyOf(sides);
      for (const each of work) {
        const cell = await measureCell(model, each, count, sides, { rounds, seconds: CELL_SECONDS });
        rows.push(...cell.rows);
        log(`infer: ${model}: ${describeCell(cell.rows)}`);
      }
    } finally {
      await Promise.all(sides.map((side) => side.close()));
    }
  }
  return { agreement: agreement ?? [], rows, ...ready };
}
