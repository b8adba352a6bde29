import { code, list, type Section, table, text } from '../document/document.js';
import { formatBytes } from '../document/format.js';
import type { Report } from './report.js';

function describeRevision({ commit, modified }: Report['revision']): string {
  return `${commit ?? 'not a git checkout'}${modified ? ', with changes' : ''}`;
}

/** How the figures came about, and what they were measured on and of. */
export function describeMethod(report: Report): Section {
  const { machine, revision, versions, models, skipped, options, later = [] } = report;
  return {
    id: 'method',
    title: 'Method',
    blocks: [
      list(
        'Agreement comes first: a file is compared with the model that it stands for, and two runtimes are shown to compute the same, before anything of theirs is timed.',
        'Sides are measured in interleaved rounds, A B C, C B A, one at a time, each in a process of its own where memory or start-up counts; a first round is thrown away, so files are in the page cache on every side. Each size of inference work gets 20 s (the small ones of the speed goals 4 to 12 s), five rounds at least.',
        'Medians are given with the first and third quartile. A ratio is taken within each round, then summarized: what drifts in a round cancels. Compare ratios, not seconds: a shared machine swings.',
        'Peak memory is what the operating system says was resident at most, runtime and libraries included, unless a column says otherwise.',
        'Every number in this document stands in report.json; MB are 10^6 bytes.',
      ),
      text('Made by:'),
      code(['npm run bench', ...(options.length > 0 ? ['--', ...options] : [])].join(' ')),
      table(
        'Machine and versions',
        ['what|', 'is|'],
        [
          ['processor', `${machine.cpu}, ${machine.cores} usable cores`],
          ...(machine.instructions ? [['instructions', machine.instructions.join(', ')]] : []),
          ['memory', formatBytes(machine.memoryBytes)],
          ['system', machine.system],
          ['Node', `${machine.node} (V8 ${machine.v8})`],
          ['commit', describeRevision(revision)],
          ['measured', report.created],
          ...later.map(({ section, created, revision }) => [
            `${section}: commit, measured`,
            `${describeRevision(revision)}, ${created}`,
          ]),
          ...Object.entries(versions),
        ],
      ),
      table(
        'Models',
        ['model|', 'origin|', 'SHA-256 of its weights|'],
        models.map(({ name, origin, sha256 }) => [name, origin, sha256]),
      ),
      ...(skipped.length === 0
        ? []
        : [text('Not measured:'), list(...skipped.map(({ what, why }) => `${what}: ${why}`))]),
    ],
  };
}
