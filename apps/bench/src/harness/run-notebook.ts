import { join } from 'node:path';
import { benchFolder } from '../bench-folder.js';
import type { Python } from './python.js';
import { runChild } from './run-child.js';

/** What a script in `apps/bench/python` prints. */
export interface NotebookRun {
  /** By step, in the notebook's order. */
  readonly seconds: Readonly<Record<string, number>>;
  readonly peakBytes: number;
  /** Resident before the first step: Python and the imported modules. */
  readonly baseBytes: number;
  readonly versions: Readonly<Record<string, string>>;
}

/** Runs a half of the notebook in a process of its own. */
export async function runNotebook(python: Python, script: string, args: readonly string[]): Promise<NotebookRun> {
  const { stdout } = await runChild(python.command, ['-B', join(benchFolder, 'python', script), ...args]);
  return JSON.parse(stdout);
}
