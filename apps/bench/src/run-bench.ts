import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PruneError } from '@prune/core';
import { repositoryFolder } from './bench-folder.js';
import type { BenchOptions } from './bench-options.js';
import { describeReport } from './describe-report.js';
import { compareMetrics } from './history/compare-metrics.js';
import { lastComparable, readHistory, saveHistory } from './history/history.js';
import { metricsOf } from './history/metrics.js';
import { measureReport } from './measure-report.js';
import { weightsFile } from './model/bench-model.js';
import { mergeReports } from './report/merge-reports.js';
import { REPORT_SCHEMA, type Report } from './report/report.js';
import { type ReportPaths, writeReport } from './report/write-report.js';

const PUBLISHED: ReportPaths = {
  html: join(repositoryFolder, 'docs', 'benchmarks', 'report.html'),
  markdown: join(repositoryFolder, 'docs', 'benchmarks.md'),
  json: join(repositoryFolder, 'docs', 'benchmarks', 'report.json'),
};

/** Measures what is asked for, writes the report, and says how many sections failed and how many figures got worse than when last saved on this machine. */
export async function runBench(
  options: BenchOptions,
  args: readonly string[],
): Promise<{ failed: number; regressions: number }> {
  // A typing error is said before the first section is measured, and not by each of them.
  for (const folder of options.model) weightsFile(resolve(folder));
  const start = performance.now();
  const log = (line: string) => console.error(`[${((performance.now() - start) / 1000).toFixed(0)} s] ${line}`);
  const { report, failed } =
    options.from === undefined ? await measureReport(options, args, log) : await earlier(options.from);

  const last = lastComparable(await readHistory(report.machine.id), report);
  const changes = last === undefined ? [] : compareMetrics(last.metrics, metricsOf(report));
  const sections = describeReport(report, last && { last, changes });
  const at = (name: string) => resolve(repositoryFolder, options.output, name);
  const paths = { html: at('report.html'), markdown: at('report.md'), json: at('report.json') };
  for (const target of options.publish ? [paths, PUBLISHED] : [paths]) {
    await writeReport(report, sections, target);
    log(`report: ${target.html}`);
  }
  if (options.save) log(`saved: ${await saveHistory(report)}`);

  const regressions = changes.filter(({ regression }) => regression);
  for (const { name, before, now } of regressions) log(`regression: ${name}: ${before} -> ${now}`);
  if (options.check && last === undefined) log('check: nothing was saved on this machine yet (--save)');
  return { failed: failed.length, regressions: regressions.length };
}

async function earlier(paths: readonly string[]): Promise<{ report: Report; failed: readonly string[] }> {
  const reports: Report[] = [];
  for (const path of paths) {
    const report = await readReport(path);
    if (report?.schema !== REPORT_SCHEMA) {
      throw new PruneError('unsupported', {
        where: path,
        what: 'report schema',
        got: report?.schema ?? 'none',
        wanted: REPORT_SCHEMA,
      });
    }
    reports.push(report);
  }
  return { report: mergeReports(reports), failed: [] };
}

async function readReport(path: string): Promise<Report | null> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    const missing = cause.code === 'ENOENT';
    throw new PruneError(missing ? 'missing' : 'io', {
      where: path,
      what: missing ? 'no such file' : cause.message,
      cause,
    });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PruneError('corrupt', { where: path, what: `not JSON: ${(cause as SyntaxError).message}`, cause });
  }
}
