import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PruneError } from '@prune/core';
import { benchFolder, workFolder } from '../bench-folder.js';

/** What a child process took. */
export interface ChildRun {
  /** From start to exit, the runtime's own start-up included. */
  readonly wallSeconds: number;
  /** The most memory that was resident, by the child's own account; Node children only. */
  readonly peakBytes?: number;
  /** User and system time over all threads; Node children only. */
  readonly cpuSeconds?: number;
  readonly stdout: string;
}

/** Options of {@link runChild}. */
export interface RunChildOptions {
  /** Added to this process's environment. */
  readonly env?: Record<string, string>;
  readonly timeoutSeconds?: number;
}

/** Runs a program to its end and measures it. Throws `io` with the end of its stderr when it fails or exceeds its time. */
export async function runChild(
  command: string,
  args: readonly string[],
  options: RunChildOptions = {},
): Promise<ChildRun> {
  const seconds = options.timeoutSeconds ?? 900;
  const start = performance.now();
  const child = spawn(command, args, {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 1000 * seconds,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr = (stderr + text).slice(-4000);
  });
  const [status, signal] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.on('error', (cause) => reject(new PruneError('io', { where: command, what: cause.message, cause })));
    child.on('close', (...end) => resolve(end));
  });
  if (status !== 0) {
    throw new PruneError('io', {
      where: `${command} ${args.join(' ')}`,
      what: signal === null ? 'failed' : `was ended by ${signal}, at most ${seconds} s were allowed`,
      got: `exit status ${status}, "${stderr.trim().split('\n').slice(-8).join('\n')}"`,
    });
  }
  return { wallSeconds: (performance.now() - start) / 1000, stdout };
}

/** Runs a Node program under the `measured` hook, which also reports peak memory and processor time. */
export async function runNode(
  args: readonly string[],
  options: RunChildOptions & { readonly node?: string } = {},
): Promise<ChildRun & { readonly peakBytes: number; readonly cpuSeconds: number }> {
  const folder = join(workFolder, 'runs');
  mkdirSync(folder, { recursive: true });
  const report = join(folder, `${randomUUID()}.json`);
  const hook = pathToFileURL(join(benchFolder, 'bin', 'measured.mjs')).href;
  try {
    const run = await runChild(options.node ?? process.execPath, ['--import', hook, ...args], {
      ...options,
      env: { ...options.env, PRUNE_BENCH_USAGE: report },
    });
    return { ...run, ...JSON.parse(await readFile(report, 'utf8')) };
  } finally {
    await rm(report, { force: true });
  }
}
