import { escapeControls } from '@prune/core';
import { type InspectedMatrix, type Inspection, inspectStore } from '@prune/model-files';
import { type ContainerSummary, openStore, summarizeFile } from '@prune/model-files/node';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { formatBytes, formatCount, formatPercent, formatShape } from '../console/format.js';
import { print } from '../console/print.js';
import { type Column, textTable } from '../console/table.js';
import { openUrl } from '../model/open-url.js';
import { modelArgument } from '../model-argument.js';

/** `prune inspect`: what is in a store, and how far its size is from the entropy bound. */
export function register(program: Command, { signal }: CommandContext): void {
  program
    .command('inspect')
    .description('show the tensors of a store: shapes, density, bytes, bits per nonzero, entropy bound')
    .addArgument(modelArgument('<file>', 'a .prune or .h5 file, or file.prune#name; - reads standard input'))
    .option('--all', 'every entry too, as it is stored')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nUnder mask, values and all are bits a nonzero, and beside each the least that a coder could need that knows the density of\n' +
        'every row and column (mask) and draws the values one by one (values).',
    )
    .action(async (path: string, flags: { all?: boolean; json?: boolean }) => {
      const container = await summarizeFile(path, { signal, openUrl });
      if (container !== undefined && container.models.length > 1 && container.model === undefined) {
        print(flags.json ? JSON.stringify(container, null, 2) : describeBundle(container));
        return;
      }
      const store = await openStore(path, { signal, openUrl });
      try {
        const inspection = await inspectStore(store, { path, bytes: store.fileBytes }, signal);
        const json = () => JSON.stringify({ ...inspection, ...(container && { container }) }, null, 2);
        print(flags.json ? json() : describe(inspection, container, flags.all ?? false));
      } finally {
        await store.close();
      }
    });
}

function describe(inspection: Inspection, container: ContainerSummary | undefined, all: boolean): string {
  const { matrices, entries, fileBytes, file } = inspection;
  const matrixBytes = sum(matrices, ({ stored }) => stored.mask + stored.values);
  const tensorBytes = sum(entries, ({ storedBytes }) => storedBytes);
  const model = container?.models.find(({ name }) => name === container.model);
  const base = model?.baseBytes ?? 0;
  const others = container && model ? container.blockBytes - model.ownBytes - model.sharedBytes : 0;
  const parts: (readonly [what: string, bytes: number])[] = [
    ['sparse matrices', matrixBytes],
    ['everything else that is a tensor', tensorBytes - matrixBytes],
    ['structure, config, tokenizer', fileBytes + base - others - tensorBytes],
    ...(others > 0 ? [['other models', others] as const] : []),
    ...(base > 0 ? [[`of these, in ${container?.bases.join(', ')}`, base] as const] : []),
    ['the file', fileBytes],
  ];
  const share = parts.map(([what, bytes]) => [what, formatBytes(bytes), formatPercent(bytes / (fileBytes + base))]);
  const sections = [
    ...(container && (container.models.length > 1 || container.bases.length > 0) ? [describeBundle(container)] : []),
    escapeControls(
      `${file}: ${inspection.architecture ?? 'architecture not said'}, profile ${inspection.profile}, ` +
        `tokenizer ${inspection.tokenizerFiles.join(', ') || 'none'}`,
    ),
    textTable(MATRIX_COLUMNS, [...matrices.map((matrix) => matrixRow(matrix)), totalRow(matrices)]),
    textTable([{ title: 'part' }, { title: 'bytes', right: true }, { title: 'share', right: true }], share),
  ];
  if (all) {
    const rows = entries.map((e) => [e.name, e.dtype, formatShape(e.shape), e.codec, formatCount(e.storedBytes)]);
    sections.push(textTable(ENTRY_COLUMNS, rows));
  }
  return sections.join('\n\n');
}

/** What each model of a file has for itself, and what it shares. */
function describeBundle({ file, fileBytes, models, bases, integrity }: ContainerSummary): string {
  const rows = models.map(({ name, tensors, ownBytes, sharedBytes, baseBytes }) => [
    name ?? '-',
    formatCount(tensors),
    formatBytes(ownBytes),
    formatBytes(sharedBytes),
    formatBytes(baseBytes),
  ]);
  const what = models.length === 1 ? 'one model' : `${models.length} models`;
  const based = bases.length === 0 ? '' : `, blocks in ${bases.join(', ')}`;
  const head = escapeControls(`${file}: ${what} in ${formatBytes(fileBytes)}${based}, integrity ${integrity}`);
  return `${head}\n\n${textTable(MODEL_COLUMNS, rows)}`;
}

const MODEL_COLUMNS: readonly Column[] = [
  { title: 'model' },
  { title: 'tensors', right: true },
  { title: 'alone', right: true },
  { title: 'shared', right: true },
  { title: 'in a base', right: true },
];

const MATRIX_COLUMNS: readonly Column[] = [
  { title: 'matrix' },
  { title: 'shape', right: true },
  { title: 'nonzeros', right: true },
  { title: 'density', right: true },
  { title: 'stored', right: true },
  { title: 'mask', right: true },
  { title: 'bound', right: true },
  { title: 'values', right: true },
  { title: 'bound', right: true },
  { title: 'all', right: true },
  { title: 'bound', right: true },
];

const ENTRY_COLUMNS: readonly Column[] = [
  { title: 'entry' },
  { title: 'dtype' },
  { title: 'shape', right: true },
  { title: 'codec' },
  { title: 'bytes', right: true },
];

function matrixRow({ name, shape, nonzeros, density, stored, bounds }: InspectedMatrix): string[] {
  const bytes = stored.mask + stored.values;
  const bits = [
    [8 * stored.mask, bounds.maskRowsAndColumns],
    [8 * stored.values, bounds.values],
    [8 * bytes, bounds.maskRowsAndColumns + bounds.values],
  ].flat();
  return [
    name,
    formatShape(shape),
    formatCount(nonzeros),
    formatPercent(density),
    formatBytes(bytes),
    ...bits.map((of) => (nonzeros === 0 ? '-' : (of / nonzeros).toFixed(2))),
  ];
}

/** All matrices as if they were one. */
function totalRow(matrices: readonly InspectedMatrix[]): string[] {
  const total = (of: (matrix: InspectedMatrix) => number) => sum(matrices, of);
  const cells = total(({ shape }) => shape[0] * shape[1]);
  const nonzeros = total((matrix) => matrix.nonzeros);
  const [, , ...cellsOfRow] = matrixRow({
    name: '',
    shape: [1, cells],
    nonzeros,
    density: cells === 0 ? 0 : nonzeros / cells,
    qscheme: 'per_tensor_affine',
    stored: { mask: total(({ stored }) => stored.mask), values: total(({ stored }) => stored.values) },
    bounds: {
      maskIndependent: total(({ bounds }) => bounds.maskIndependent),
      maskRowsAndColumns: total(({ bounds }) => bounds.maskRowsAndColumns),
      values: total(({ bounds }) => bounds.values),
    },
  });
  return [`all ${matrices.length}`, formatCount(cells), ...cellsOfRow];
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
