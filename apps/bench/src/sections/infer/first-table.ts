import { type Block, table } from '../../document/document.js';
import { formatBytes, formatSeconds, formatSummary, formatTimes } from '../../document/format.js';
import type { FirstRow } from './infer-report.js';
import { OURS } from './side-names.js';

/** From a file to the first answer, by model and side. */
export function firstTable(rows: readonly FirstRow[]): Block {
  return table(
    'From the file to the first answer (128 tokens, one thread; start of the process not counted)',
    ['model|', 'side|', 'seconds, median (quartiles)', 'peak memory', 'times faster: float32 attention'],
    rows.map(({ model, side, seconds, peakBytes, oursTimesFaster }) => [
      model,
      side,
      formatSummary(seconds, formatSeconds),
      formatBytes(peakBytes.median),
      oursTimesFaster?.[OURS] ? formatSummary(oursTimesFaster[OURS], formatTimes) : '-',
    ]),
  );
}
