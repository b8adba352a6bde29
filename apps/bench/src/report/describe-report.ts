import type { Change } from '../history/compare-metrics.js';
import type { HistoryEntry } from '../history/history.js';
import { describeAccuracy } from './describe-accuracy.js';
import { describeCodecs } from './describe-codecs.js';
import { describeHistory } from './describe-history.js';
import { describeInfer } from './describe-infer.js';
import { describeLoad } from './describe-load.js';
import { describeMethod } from './describe-method.js';
import { describePack } from './describe-pack.js';
import { describeSizes } from './describe-sizes.js';
import { describeSummary } from './describe-summary.js';
import type { Section } from './document.js';
import type { Report } from './report.js';

/** The document of a report: what was measured, then how. */
export function describeReport(
  report: Report,
  previous?: { readonly last: HistoryEntry; readonly changes: readonly Change[] },
): Section[] {
  const measured = report.sizes ?? report.pack ?? report.load;
  return [
    ...(measured ? [describeSummary(report)] : []),
    ...(report.sizes ? [describeSizes(report.sizes)] : []),
    ...(report.codec ? [describeCodecs(report.codec)] : []),
    ...(report.pack ? [describePack(report.pack)] : []),
    ...(report.load ? [describeLoad(report.load)] : []),
    ...(report.infer ? [describeInfer(report.infer)] : []),
    ...(report.accuracy ? [describeAccuracy(report.accuracy)] : []),
    ...(previous ? [describeHistory(previous.last, previous.changes)] : []),
    describeMethod(report),
  ];
}
