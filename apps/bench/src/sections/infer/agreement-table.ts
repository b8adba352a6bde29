import { type Block, table } from '../../document/document.js';
import type { Agreement } from './infer-report.js';

/** What was proven before anything was timed. */
export function agreementTable(rows: readonly Agreement[]): Block {
  return table(
    'Agreement before timing: the largest difference of any logit (2 x 32 tokens)',
    ['model|', 'side|', 'against|', 'largest difference', 'largest logit'],
    rows.map((row) => [
      row.model,
      row.side,
      row.against,
      row.largestDifference.toPrecision(3),
      row.largestLogit.toPrecision(3),
    ]),
  );
}
