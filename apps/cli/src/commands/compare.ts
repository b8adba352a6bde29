import { openCheckpoint } from '@prune/checkpoint/node';
import type { PackOptions } from '@prune/model-files';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { formatBytes, formatSeconds } from '../console/format.js';
import { note } from '../console/note.js';
import { print } from '../console/print.js';
import { progressBar } from '../console/progress.js';
import { type Column, markdownTable, textTable } from '../console/table.js';
import { COMPARED_STORES, type Comparison, compareCheckpoint } from '../model/compare-checkpoint.js';
import { openPackable } from '../model/open-packable.js';
import { modelArgument } from '../model-argument.js';
import { packOptions, quietOption, stateDictOption } from '../options.js';

interface CompareFlags extends PackOptions {
  json?: boolean;
  markdown?: boolean;
  stateDict?: string;
  quiet?: boolean;
}

/** The notebook counts what was pruned: the encoder and the head. */
const DEFAULT_EXCLUDE = ['embeddings'];

/** `prune compare`: the notebook's table of sizes, and ours. */
export function register(program: Command, { signal, sayWhenEnded }: CommandContext): void {
  const command = program
    .command('compare')
    .description('the sizes of a checkpoint in every form: dense, CSR, HDF5, each codec of the .prune container')
    .addArgument(modelArgument('<checkpoint>', 'a model folder, or a .safetensors or .bin file, gzipped or not'));
  for (const option of packOptions({ exclude: DEFAULT_EXCLUDE })) command.addOption(option);
  command
    .option('--json', 'as JSON')
    .option('--markdown', 'as a Markdown table')
    .addOption(stateDictOption())
    .addOption(quietOption())
    .action(async (path: string, flags: CompareFlags) => {
      const checkpoint = await openPackable(openCheckpoint, path, { signal, stateDict: flags.stateDict });
      for (const text of checkpoint.notes) note(flags.quiet, text);
      const progress = progressBar('comparing', flags.quiet);
      progress.total(COMPARED_STORES.length + 1);
      try {
        const soFar: Comparison[] = [];
        const onRow = (row: Comparison) => soFar.push(row);
        sayWhenEnded(() => (soFar.length === 0 ? undefined : describe(soFar, flags, true)));
        const rows = await compareCheckpoint(checkpoint, flags, { signal, onStep: progress.step, onRow });
        progress.stop();
        print(describe(rows, flags));
      } finally {
        progress.stop();
        await checkpoint.close();
      }
    });
}

function describe(
  rows: readonly Comparison[],
  { json, markdown, exclude }: CompareFlags,
  partial: boolean = false,
): string {
  if (json) return JSON.stringify({ ...(partial && { partial }), excluded: exclude, forms: rows }, null, 2);
  const table = comparisonTable(rows, markdown ? markdownTable : textTable);
  const left = exclude.length === 0 ? '' : `Without ${exclude.join(', ')} (--exclude none counts everything).\n\n`;
  return (partial ? 'Partial: not every form was reached.\n\n' : '') + left + table;
}

const COLUMNS: readonly Column[] = [
  { title: 'form' },
  { title: 'bytes', right: true },
  { title: 'times smaller', right: true },
  { title: 'bits/nonzero', right: true },
  { title: 'written in', right: true },
];

/** The table of a comparison, as text or as Markdown. */
export function comparisonTable(rows: readonly Comparison[], table: typeof textTable = textTable): string {
  const cells = rows.map(({ form, bytes, ratio, bitsPerNonzero, seconds }) => [
    form,
    formatBytes(bytes),
    ratio.toFixed(1),
    Number.isFinite(bitsPerNonzero) ? bitsPerNonzero.toFixed(2) : '-',
    seconds === null ? '-' : formatSeconds(seconds),
  ]);
  return table(COLUMNS, cells);
}
