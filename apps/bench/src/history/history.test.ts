import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SAMPLE_REPORT } from '../../test/sample-report.js';
import { compareMetrics } from './compare-metrics.js';
import { describeHistory } from './describe-history.js';
import { lastComparable, readHistory, saveHistory } from './history.js';
import { metricsOf } from './metrics.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prune-history-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('history', () => {
  it('is empty on a machine where nothing was saved', async () => {
    expect(await readHistory('nowhere', folder)).toEqual([]);
    expect(lastComparable([], SAMPLE_REPORT)).toBeUndefined();
  });

  it('appends a line a run and finds the last of the same Node major', async () => {
    const path = await saveHistory(SAMPLE_REPORT, folder);
    const newer = { ...SAMPLE_REPORT, created: '2026-11-25T09:00:00.000Z' };
    await saveHistory({ ...newer, machine: { ...newer.machine, node: '24.1.0' } }, folder);
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(3);
    const history = await readHistory(SAMPLE_REPORT.machine.id, folder);
    expect(lastComparable(history, newer)?.created).toBe(SAMPLE_REPORT.created);
    expect(history[0].metrics).toEqual(metricsOf(SAMPLE_REPORT));
  });
});

describe('compareMetrics', () => {
  it('says nothing of figures that only one run has', () => {
    const size = { value: 1, kind: 'size' } as const;
    expect(compareMetrics({ a: size }, { b: size })).toEqual([]);
    expect(compareMetrics({}, metricsOf(SAMPLE_REPORT))).toEqual([]);
  });

  it('a larger size, a lower ratio, a longer time are regressions past their thresholds; the contrary is none', () => {
    const metrics = (size: number, ratio: number, time: number) =>
      ({
        size: { value: size, kind: 'size' },
        ratio: { value: ratio, kind: 'ratio' },
        time: { value: time, kind: 'time' },
      }) as const;
    const before = metrics(1000, 2, 1);
    const names = (which: 'regression' | 'improvement', now: ReturnType<typeof metrics>) =>
      compareMetrics(before, now)
        .filter((change) => change[which])
        .map(({ name }) => name);
    expect(names('regression', metrics(1001, 1.9, 1.4))).toEqual([]);
    expect(names('regression', metrics(1003, 1.6, 1.6))).toEqual(['time', 'ratio', 'size']);
    expect(names('regression', metrics(1, 9, 0.1))).toEqual([]);
    expect(names('improvement', metrics(999, 2.2, 0.7))).toEqual([]);
    expect(names('improvement', metrics(990, 2.4, 0.6)).sort()).toEqual(['ratio', 'size', 'time']);
    expect(names('improvement', metrics(2000, 1, 3))).toEqual([]);
  });

  it('the report shows what moved by more than its threshold', () => {
    const before = metricsOf(SAMPLE_REPORT);
    const now = { ...before, 'sizes/mini-qa/encoder/.prune, gzip': { value: 8_200_000, kind: 'size' } as const };
    const last = { created: 'then', commit: null, node: '20.1.0', quick: false, metrics: before };
    const { blocks } = describeHistory(last, compareMetrics(before, now));
    const [moved] = blocks.flatMap((block) => (block.kind === 'table' ? [block.rows] : []));
    expect(moved.map(([name, , , , regression]) => [name, regression])).toEqual([
      ['sizes/mini-qa/encoder/.prune, gzip', 'yes'],
    ]);
  });
});
