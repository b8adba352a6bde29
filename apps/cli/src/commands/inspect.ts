import { stat } from 'node:fs/promises';
import { type InspectedMatrix, type Inspection, inspectStore } from '@prune/pipeline';
import { openStore } from '@prune/pipeline/node';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { formatBytes, formatCount, formatPercent, formatShape } from '../console/format.js';
import { type Column, textTable } from '../console/table.js';

/** `prune inspect`: what is in a store, and how far its size is from the entropy bound. */
export function register(program: Command, { signal }: CommandContext): void {
  program
    .command('inspect')
    .description('show the tensors of a store: shapes, density, bytes, bits per nonzero, entropy bound')
    .argument('<file>', 'a .prune or .h5 file')
    .option('--all', 'every entry too, as it is stored')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nThe bound is the least that a coder could need that knows the density of every row and column and codes the\n' +
        'values one by one: entropy of the mask given its margins, plus order-0 entropy of the int8 values.',
    )
    .action(async (path: string, flags: { all?: boolean; json?: boolean }) => {
      const store = await openStore(path);
      try {
        const { size } = await stat(path);
        const inspection = await inspectStore(store, { path, bytes: size }, signal);
        console.log(flags.json ? JSON.stringify(inspection, null, 2) : describe(inspection, flags.all ?? false));
      } finally {
        await store.close();
      }
    });
}

function describe(inspection: Inspection, all: boolean): string {
  const { matrices, entries, fileBytes, file } = inspection;
  const matrixBytes = sum(matrices, ({ storedBytes }) => storedBytes);
  const tensorBytes = sum(entries, ({ storedBytes }) => storedBytes);
  const parts = [
    ['sparse matrices', matrixBytes],
    ['everything else that is a tensor', tensorBytes - matrixBytes],
    ['structure, config, tokenizer', fileBytes - tensorBytes],
    ['the file', fileBytes],
  ] as const;
  const share = parts.map(([what, bytes]) => [what, formatBytes(bytes), formatPercent(bytes / fileBytes)]);
  const sections = [
    `${file}: ${inspection.architecture ?? 'architecture not said'}, profile ${inspection.profile}, ` +
      `tokenizer ${inspection.tokenizerFiles.join(', ') || 'none'}`,
    textTable(MATRIX_COLUMNS, [...matrices.map((matrix) => matrixRow(matrix)), totalRow(matrices)]),
    textTable([{ title: 'part' }, { title: 'bytes', right: true }, { title: 'share', right: true }], share),
  ];
  if (all) {
    const rows = entries.map((e) => [e.name, e.dtype, formatShape(e.shape), e.codec, formatCount(e.storedBytes)]);
    sections.push(textTable(ENTRY_COLUMNS, rows));
  }
  return sections.join('\n\n');
}

const MATRIX_COLUMNS: readonly Column[] = [
  { title: 'matrix' },
  { title: 'shape', right: true },
  { title: 'nonzeros', right: true },
  { title: 'density', right: true },
  { title: 'stored', right: true },
  { title: 'bits/nonzero', right: true },
  { title: 'bound', right: true },
];

const ENTRY_COLUMNS: readonly Column[] = [
  { title: 'entry' },
  { title: 'dtype' },
  { title: 'shape', right: true },
  { title: 'codec' },
  { title: 'bytes', right: true },
];

function matrixRow({ name, shape, nonzeros, density, storedBytes, bound }: InspectedMatrix): string[] {
  return [
    name,
    formatShape(shape),
    formatCount(nonzeros),
    formatPercent(density),
    formatBytes(storedBytes),
    perNonzero(8 * storedBytes, nonzeros),
    perNonzero(bound.maskBits + bound.valueBits, nonzeros),
  ];
}

function totalRow(matrices: readonly InspectedMatrix[]): string[] {
  const nonzeros = sum(matrices, (matrix) => matrix.nonzeros);
  const cells = sum(matrices, ({ shape }) => shape[0] * shape[1]);
  const bytes = sum(matrices, ({ storedBytes }) => storedBytes);
  const bound = sum(matrices, ({ bound }) => bound.maskBits + bound.valueBits);
  return [
    `all ${matrices.length}`,
    formatCount(cells),
    formatCount(nonzeros),
    formatPercent(cells === 0 ? 0 : nonzeros / cells),
    formatBytes(bytes),
    perNonzero(8 * bytes, nonzeros),
    perNonzero(bound, nonzeros),
  ];
}

function perNonzero(bits: number, nonzeros: number): string {
  return nonzeros === 0 ? '-' : (bits / nonzeros).toFixed(2);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
