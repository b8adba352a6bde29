import { execFileSync } from 'node:child_process';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { repositoryFolder } from '../bench-folder.js';

/** What the figures were measured on. */
export interface Machine {
  /** The same for two runs that may be compared: processor, cores, system. */
  readonly id: string;
  readonly cpu: string;
  /** That this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly v8: string;
}

/** What the figures were measured of. */
export interface Revision {
  /** `null` outside a git checkout. */
  readonly commit: string | null;
  /** Whether tracked files differed from the commit. */
  readonly modified: boolean;
}

/** Describes this machine; nothing that tells whose it is. */
export function describeMachine(): Machine {
  const cpu = cpus()[0]?.model.trim().replace(/\s+/g, ' ') ?? 'unknown';
  const cores = availableParallelism();
  const id = `${cpu}-${cores}-${platform()}-${arch()}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return {
    id,
    cpu,
    cores,
    memoryBytes: totalmem(),
    system: `${platform()} ${/^\d+\.\d+/.exec(release())?.[0] ?? ''} ${arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
  };
}

/** The commit that is checked out. */
export function describeRevision(): Revision {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: repositoryFolder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    // What the bench itself writes does not change what is measured.
    const changed = git(
      'status',
      '--porcelain',
      '--untracked-files=no',
      '--',
      '.',
      ':!docs/benchmarks*',
      ':!apps/bench/results',
    );
    return { commit: git('rev-parse', 'HEAD'), modified: changed !== '' };
  } catch {
    return { commit: null, modified: false };
  }
}
