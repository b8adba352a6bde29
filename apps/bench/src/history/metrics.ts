import type { Report } from '../report/report.js';
import { NOTEBOOK } from '../sections/sides/pack-sides.js';
import { goalRows } from '../sections/speed/goal-rows.js';
import { OURS_ON_THE_WEB } from '../sections/web/web-report.js';

/** A figure that is watched from run to run. */
export interface Metric {
  readonly value: number;
  /** `size`: bytes, deterministic. `ratio`: against a peer in the same rounds, higher is better. `time`: seconds. `memory`: bytes. */
  readonly kind: 'size' | 'ratio' | 'time' | 'memory';
}

/** The watched figures of a report by name, e.g. `sizes/mini-qa/encoder/.prune, gzip`. */
export function metricsOf(report: Report): Record<string, Metric> {
  const metrics: Record<string, Metric> = {};
  for (const { model, scope, form, bytes } of report.sizes?.rows ?? []) {
    metrics[`sizes/${model}/${scope}/${form}`] = { value: bytes, kind: 'size' };
  }
  for (const { model, rows } of report.codec ?? []) {
    for (const { form, bytes, decode } of rows.filter(({ form }) => form.startsWith('entropy'))) {
      metrics[`codec/${model}/${form}`] = { value: bytes, kind: 'size' };
      metrics[`codec/${model}/${form}/seconds a million nonzeros`] = { value: 1 / decode.median, kind: 'time' };
    }
  }
  for (const section of ['pack', 'load'] as const) {
    for (const { model, scope, side, seconds, peakBytes, timesFaster } of report[section] ?? []) {
      if (side === NOTEBOOK) continue;
      const name = `${section}/${model}/${scope}/${side}`;
      metrics[`${name}/seconds`] = { value: seconds.median, kind: 'time' };
      metrics[`${name}/memory`] = { value: peakBytes.median, kind: 'memory' };
      if (timesFaster) metrics[`${name}/times faster`] = { value: timesFaster.median, kind: 'ratio' };
    }
  }
  for (const { model, tokens, batch, threads, side, seconds, oursTimesFaster } of report.infer?.rows ?? []) {
    const name = `infer/${model}/${batch} x ${tokens}/threads ${threads}/${side}`;
    if (oursTimesFaster === undefined) metrics[`${name}/seconds`] = { value: seconds.median, kind: 'time' };
    for (const [our, { median }] of Object.entries(oursTimesFaster ?? {})) {
      metrics[`${name}/times that of ${our}`] = { value: median, kind: 'ratio' };
    }
  }
  for (const { model, side, seconds, peakBytes } of report.infer?.first ?? []) {
    if (!side.startsWith('prune')) continue;
    metrics[`infer/${model}/first answer/${side}/seconds`] = { value: seconds.median, kind: 'time' };
    metrics[`infer/${model}/first answer/${side}/memory`] = { value: peakBytes.median, kind: 'memory' };
  }
  for (const { what, side, against, kind, reached } of report.speed ? goalRows(report.speed) : []) {
    const name = kind === 'times' ? 'times that of' : 'density against';
    metrics[`speed/${what}/${side}/${name} ${against}`] = { value: reached, kind: 'ratio' };
  }
  for (const { browser, side, first, bytes, modelBytes, timesFaster } of report.web?.rows ?? []) {
    if (side !== OURS_ON_THE_WEB) continue;
    const name = `web/${browser}/first answer`;
    metrics[`${name}/seconds`] = { value: first.median, kind: 'time' };
    metrics[`${name}/bytes`] = { value: bytes, kind: 'size' };
    metrics[`${name}/bytes of the model`] = { value: modelBytes, kind: 'size' };
    if (timesFaster) metrics[`${name}/times faster`] = { value: timesFaster.median, kind: 'ratio' };
  }
  if (report.web) metrics['web/bytes of code'] = { value: report.web.codeBytes, kind: 'size' };
  return metrics;
}
