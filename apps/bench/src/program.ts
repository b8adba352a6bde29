import { Command, InvalidArgumentError, Option } from 'commander';
import type { BenchOptions } from './bench-options.js';
import { runBench } from './run-bench.js';
import { SECTIONS, type SectionName } from './sections/section-names.js';

/** The command line of the bench; `args` is what it was given, for the report. */
export function createProgram(args: readonly string[]): Command {
  return new Command('bench')
    .exitOverride()
    .description(
      'Measures sizes, packing and reading on this machine and writes report.json, report.md and report.html.',
    )
    .addOption(
      new Option('--only <sections>', `some of ${SECTIONS.join(',')}`).argParser(sections).default(SECTIONS, 'all'),
    )
    .option('--quick', 'fewer models and rounds: minutes instead of an hour', false)
    .option('--model <folder...>', 'model folders to measure besides the embedded and the seeded ones', [])
    .addOption(new Option('--rounds <n>', 'interleaved rounds').argParser(rounds))
    .option('-o, --output <folder>', 'where the report goes', '.bench/report')
    .option('--save', "append the figures to this machine's history in apps/bench/results", false)
    .option(
      '--from <report.json...>',
      'measure nothing: render a report that was measured before; of several, each section of the last that has it',
    )
    .option('--publish', 'also write docs/benchmarks.md and docs/benchmarks/report.{json,html}', false)
    .option('--check', 'exit with 1 when a figure is worse than the last saved one by more than its threshold', false)
    .addHelpText('after', '\nExit status: 0 measured, 1 --check found a regression, 2 a section could not be measured.')
    .action(async (options: BenchOptions) => {
      const { failed, regressions } = await runBench(options, args);
      if (failed > 0) process.exitCode = 2;
      else if (options.check && regressions > 0) process.exitCode = 1;
    });
}

function sections(text: string): SectionName[] {
  return text.split(',').map((name) => {
    const known = SECTIONS.find((section) => section === name.trim());
    if (known === undefined) throw new InvalidArgumentError(`"${name}" is none of ${SECTIONS.join(', ')}`);
    return known;
  });
}

function rounds(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('wanted an integer of at least 1');
  return count;
}
