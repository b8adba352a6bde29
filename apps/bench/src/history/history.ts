import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { benchFolder } from '../bench-folder.js';
import type { Report } from '../report/report.js';
import { type Metric, metricsOf } from './metrics.js';

/** One saved run: a line of `apps/bench/results/<machine>.jsonl`. */
export interface HistoryEntry {
  readonly created: string;
  readonly commit: string | null;
  readonly node: string;
  readonly quick: boolean;
  readonly metrics: Readonly<Record<string, Metric>>;
}

const RESULTS = join(benchFolder, 'results');

/** What was saved on this machine, oldest first; empty where nothing was. */
export async function readHistory(machineId: string, folder = RESULTS): Promise<HistoryEntry[]> {
  const lines = await readFile(join(folder, `${machineId}.jsonl`), 'utf8').catch(() => '');
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Appends a report's figures; earlier lines are never touched. Returns the file. */
export async function saveHistory(report: Report, folder = RESULTS): Promise<string> {
  const { created, revision, machine, quick } = report;
  const entry: HistoryEntry = {
    created,
    commit: revision.commit,
    node: machine.node,
    quick,
    metrics: metricsOf(report),
  };
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${machine.id}.jsonl`);
  await appendFile(path, `${JSON.stringify(entry)}\n`);
  return path;
}

/** The last saved run of the same Node major version, whose figures may be compared with `report`'s. */
export function lastComparable(history: readonly HistoryEntry[], report: Report): HistoryEntry | undefined {
  const major = (version: string) => version.split('.')[0];
  return history.filter(({ node }) => major(node) === major(report.machine.node)).at(-1);
}
