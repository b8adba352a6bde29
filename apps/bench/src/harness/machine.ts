import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { repositoryFolder } from '../bench-folder.js';

/** What the figures were measured on. */
export interface Machine {
  /** The same for two runs that may be compared: processor, cores, system. */
  readonly id: string;
  readonly cpu: string;
  /** Which of {@link INSTRUCTIONS} it has; Linux only. */
  readonly instructions?: readonly string[];
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

/** Instruction sets that decide how fast int8 products are, by Linux's names: a processor's model often does not tell. */
const INSTRUCTIONS = ['avx2', 'avx512f', 'avx512_vnni', 'avx_vnni', 'amx_int8', 'asimd', 'asimddp', 'i8mm'];

/** Describes this machine; nothing that tells whose it is. */
export function describeMachine(): Machine {
  const cpu = cpus()[0]?.model.trim().replace(/\s+/g, ' ') ?? 'unknown';
  const cores = availableParallelism();
  const id = `${cpu}-${cores}-${platform()}-${arch()}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return {
    id,
    cpu,
    instructions: readInstructions(),
    cores,
    memoryBytes: totalmem(),
    system: `${platform()} ${/^\d+\.\d+/.exec(release())?.[0] ?? ''} ${arch()}`,
    node: process.versions.node,
    v8: process.versions.v8,
  };
}

function readInstructions(): string[] | undefined {
  if (platform() !== 'linux') return undefined;
  const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  return INSTRUCTIONS.filter((name) => flags.includes(name));
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
