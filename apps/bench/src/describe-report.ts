import type { Section } from './document/document.js';
import type { Change } from './history/compare-metrics.js';
import { describeHistory } from './history/describe-history.js';
import type { HistoryEntry } from './history/history.js';
import { describeMethod } from './report/describe-method.js';
import { describeSummary } from './report/describe-summary.js';
import type { Report } from './report/report.js';
import { describeAccuracy } from './sections/accuracy/describe-accuracy.js';
import { describeCodecs } from './sections/codec/describe-codecs.js';
import { describeInfer } from './sections/infer/describe-infer.js';
import { describeLoad } from './sections/load/describe-load.js';
import { describePack } from './sections/pack/describe-pack.js';
import { describeSizes } from './sections/sizes/describe-sizes.js';
import { describeSpeed } from './sections/speed/describe-speed.js';
import { describeWeb } from './sections/web/describe-web.js';

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
    ...(report.speed ? [describeSpeed(report.speed)] : []),
    ...(report.web ? [describeWeb(report.web)] : []),
    ...(report.accuracy ? [describeAccuracy(report.accuracy)] : []),
    ...(previous ? [describeHistory(previous.last, previous.changes)] : []),
    describeMethod(report),
  ];
}
