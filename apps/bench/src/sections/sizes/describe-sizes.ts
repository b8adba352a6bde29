import { plot, type Section, table, text } from '../../document/document.js';
import { formatBytes, formatCount, formatPercent } from '../../document/format.js';
import { SCOPE_NAMES } from '../sides/scope.js';
import { NOTEBOOK_FORM, type SizeBounds, type SizeRow, type SizesReport } from './size-row.js';

/** Sizes of every model in every form, by part, beside the bounds. */
export function describeSizes({ rows, bounds }: SizesReport): Section {
  return {
    id: 'sizes',
    title: 'Sizes',
    blocks: [
      text(
        'Every file was read back and compared with the model, name by name and bit by bit, before its size was taken. Mask: column indices and row pointers. ' +
          'Values: the int8 weights that are left. Floats: biases, LayerNorm and, in the whole model, embedding tables as float32. Overhead: scales, names and the ' +
          "file's own structure. The bound is the entropy of the mask when the number of nonzeros of every row and column is known (the distribution of highest " +
          'entropy), plus the order-0 entropy of the values, plus the floats; what it costs to say those numbers is not in it.',
      ),
      plot('sizes', 'Bytes by form and part'),
      ...bounds.map((bound) =>
        sizeTable(
          bound,
          rows.filter((row) => row.model === bound.model && row.scope === bound.scope),
        ),
      ),
      ...densityTable(rows, bounds),
    ],
  };
}

function sizeTable(bound: SizeBounds, rows: readonly SizeRow[]) {
  const notebook = rows.find(({ form }) => form === NOTEBOOK_FORM)?.bytes;
  const share = (bytes: number) => (notebook === undefined ? '-' : formatPercent(bytes / notebook));
  const sparse = bound.mask.rowsAndColumns + bound.values;
  return table(
    `${bound.model}, ${SCOPE_NAMES[bound.scope]}: ${formatCount(bound.nonzeros)} nonzeros, ${formatPercent(bound.nonzeros / bound.elements)}`,
    ['form|', 'bytes', 'of the notebook', 'bits a nonzero', 'mask', 'values', 'floats', 'overhead'],
    [
      ...rows.map(({ form, bytes, parts, bitsPerNonzero }) => [
        form,
        formatBytes(bytes),
        share(bytes),
        bitsPerNonzero.toFixed(2),
        ...(['mask', 'values', 'floats', 'overhead'] as const).map((part) => (parts ? formatBytes(parts[part]) : '-')),
      ]),
      [
        'bound',
        formatBytes(sparse + bound.floats),
        share(sparse + bound.floats),
        ((8 * sparse) / bound.nonzeros).toFixed(2),
        formatBytes(bound.mask.rowsAndColumns),
        formatBytes(bound.values),
        formatBytes(bound.floats),
        '-',
      ],
    ],
  );
}

/** Seeded models by density, where there are several. */
function densityTable(rows: readonly SizeRow[], bounds: readonly SizeBounds[]) {
  const seeded = bounds.filter(({ model, scope }) => model.startsWith('seeded-base') && scope === 'encoder');
  if (seeded.length < 2) return [];
  const forms = [...new Set(rows.filter(({ model }) => model === seeded[0].model).map(({ form }) => form))];
  const cell = (form: string, model: string) => {
    const row = rows.find((row) => row.form === form && row.model === model && row.scope === 'encoder');
    return row === undefined ? '-' : formatBytes(row.bytes);
  };
  return [
    plot('density', 'Bits a nonzero by density'),
    table(
      'The seeded BERT-base sized encoder by density',
      ['form|', ...seeded.map(({ nonzeros, elements }) => formatPercent(nonzeros / elements))],
      forms.map((form) => [form, ...seeded.map(({ model }) => cell(form, model))]),
    ),
  ];
}
