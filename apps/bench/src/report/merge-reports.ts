import { PruneError } from '@prune/core';
import { SECTIONS } from '../sections/section-names.js';
import type { Report } from './report.js';

/**
 * One report of several of the same machine and Node: each section is that of the last report that has it, and what is not of the first says when
 * and of which commit it is. Throws `mismatch`.
 */
export function mergeReports(reports: readonly Report[]): Report {
  return reports.reduce(withSectionsOf);
}

function withSectionsOf(before: Report, report: Report): Report {
  for (const key of ['id', 'node'] as const) {
    if (report.machine[key] === before.machine[key]) continue;
    throw new PruneError('mismatch', {
      where: 'reports',
      what: key === 'id' ? 'measured on another machine' : 'measured with another Node',
      got: report.machine[key],
      wanted: before.machine[key],
    });
  }
  const { created, revision } = report;
  const sections = SECTIONS.filter((section) => report[section] !== undefined);
  const others = before.models.filter(({ name }) => report.models.every((model) => model.name !== name));
  const isKept = (what: string) => sections.every((section) => section !== what);
  return {
    ...before,
    ...Object.fromEntries(sections.map((section) => [section, report[section]])),
    versions: { ...before.versions, ...report.versions },
    models: [...others, ...report.models],
    skipped: [...before.skipped.filter(({ what }) => isKept(what)), ...report.skipped],
    later: [
      ...(before.later ?? []).filter(({ section }) => isKept(section)),
      ...sections.map((section) => ({ section, created, revision })),
    ],
  };
}
