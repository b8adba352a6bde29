import { type Block, table } from '../../document/document.js';
import { formatSeconds, formatSummary, formatTimes } from '../../document/format.js';
import type { InferRow } from './infer-report.js';
import { OURS, withKernels } from './side-names.js';

/** Kernels that nobody chooses for speed have no column. */
const WITHOUT_COLUMN = [withKernels(OURS, 'wasm-simd')];

/** The sides of one model, batch and number of threads, by length. */
export function latencyTable(rows: readonly InferRow[]): Block {
  const [{ model, threads, batch }] = rows;
  const held = new Set(rows.flatMap(({ oursTimesFaster }) => Object.keys(oursTimesFaster ?? {})));
  const ours = [...held].filter((side) => !WITHOUT_COLUMN.includes(side));
  return table(
    `${model}, batch ${batch}, ${threads === 1 ? 'one thread' : `${threads} threads`}`,
    [
      'tokens',
      'side|',
      'median (quartiles)',
      'p95',
      'p99',
      'tokens/s',
      ...ours.map((name) => `times faster: ${name.replace('prune, ', '')}`),
    ],
    rows.map(({ tokens, side, seconds, throughput, oursTimesFaster }) => {
      const faster = (our: string) => (oursTimesFaster?.[our] ? formatSummary(oursTimesFaster[our], formatTimes) : '-');
      return [
        String(tokens),
        side,
        formatSummary(seconds, formatSeconds),
        formatSeconds(seconds.p95),
        formatSeconds(seconds.p99),
        throughput.toFixed(0),
        ...ours.map(faster),
      ];
    }),
  );
}
