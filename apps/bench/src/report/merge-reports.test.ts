import { describe, expect, it } from 'vitest';
import { SAMPLE_REPORT } from '../../test/sample-report.js';
import { SECTIONS } from '../sections/section-names.js';
import { describeMethod } from './describe-method.js';
import { mergeReports } from './merge-reports.js';
import type { Report } from './report.js';

describe('mergeReports', () => {
  const { sizes, pack } = SAMPLE_REPORT;
  const bare: Report = { ...SAMPLE_REPORT, ...Object.fromEntries(SECTIONS.map((section) => [section, undefined])) };
  const at = (created: string, commit: string) => ({ ...bare, created, revision: { commit, modified: false } });
  const first: Report = { ...at('2026-01-01T00:00:00.000Z', 'a'), sizes, pack, skipped: [{ what: 'load', why: 'x' }] };
  const second: Report = { ...at('2026-01-02T00:00:00.000Z', 'b'), pack: [], load: [], skipped: [] };

  it('one report is itself', () => expect(mergeReports([first])).toEqual(first));

  it('takes each section from the last report that has it, and says which those are', () => {
    const merged = mergeReports([first, second]);
    expect([merged.sizes, merged.pack, merged.load, merged.created]).toEqual([sizes, [], [], first.created]);
    expect(merged.skipped).toEqual([]);
    const { created, revision } = second;
    expect(merged.later).toEqual(['pack', 'load'].map((section) => ({ section, created, revision })));
    expect(JSON.stringify(describeMethod(merged))).toContain(
      '["load: commit, measured","b, 2026-01-02T00:00:00.000Z"]',
    );

    const third: Report = { ...at('2026-01-03T00:00:00.000Z', 'c'), load: [] };
    expect(
      mergeReports([first, second, third]).later!.map(({ section, revision }) => [section, revision.commit]),
    ).toEqual([
      ['pack', 'b'],
      ['load', 'c'],
    ]);
  });

  it('other machines and other Nodes are not compared', () => {
    const other = (machine: Partial<Report['machine']>): Report => ({
      ...second,
      machine: { ...second.machine, ...machine },
    });
    expect(() => mergeReports([first, other({ id: 'other' })])).toThrow('measured on another machine, got other');
    expect(() => mergeReports([first, other({ node: '1.2.3' })])).toThrow('measured with another Node, got 1.2.3');
  });
});
