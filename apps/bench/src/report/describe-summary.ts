import { list, type Section } from '../document/document.js';
import { formatBytes, formatPercent, formatSeconds, formatTimes } from '../document/format.js';
import { SCOPE_NAMES } from '../sections/sides/scope.js';
import { NOTEBOOK_FORM } from '../sections/sizes/size-row.js';
import type { Report } from './report.js';

/** What a reader in a hurry should know, one line a finding; each is said again, with its context, further down. */
export function describeSummary(report: Report): Section {
  return {
    id: 'summary',
    title: 'In short',
    blocks: [list(...sizeLines(report), ...packLines(report), ...loadLines(report))],
  };
}

function sizeLines({ sizes }: Report): string[] {
  return (sizes?.bounds ?? []).flatMap(({ model, scope, nonzeros, mask, values }) => {
    const rows = sizes!.rows.filter((row) => row.model === model && row.scope === scope);
    const notebook = rows.find(({ form }) => form === NOTEBOOK_FORM);
    const dense = rows.find(({ parts }) => parts === null);
    const files = rows.filter(({ form }) => form.startsWith('.prune'));
    if (notebook === undefined || dense === undefined || files.length === 0) return [];
    const least = files.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    const bound = (8 * (mask.rowsAndColumns + values)) / nonzeros;
    return [
      `Size of ${model}, ${SCOPE_NAMES[scope]}: ${formatBytes(least.bytes)} (${least.form}), against ${formatBytes(notebook.bytes)} as the notebook writes it ` +
        `(${formatPercent(least.bytes / notebook.bytes)}) and ${formatBytes(dense.bytes)} dense; mask and values take ${formatTimes(least.bitsPerNonzero / bound)} their bound.`,
    ];
  });
}

function packLines({ pack = [] }: Report): string[] {
  return pack
    .filter(({ side }) => side !== 'notebook')
    .map(
      ({ side, model, scope, seconds, peakBytes, timesFaster }) =>
        `Packing ${model}, ${SCOPE_NAMES[scope]}, ${side}: ${formatSeconds(seconds.median)}` +
        `${timesFaster ? `, ${formatTimes(timesFaster.median)} as fast as the notebook's steps` : ''}, ${formatBytes(peakBytes.median)} peak memory.`,
    );
}

function loadLines({ load = [] }: Report): string[] {
  return load
    .filter(({ side }) => side !== 'notebook')
    .map(
      ({ side, model, scope, seconds, timesFaster }) =>
        `Reading ${model}, ${SCOPE_NAMES[scope]}, ${side}: ${formatSeconds(seconds.median)}` +
        `${timesFaster ? `, ${formatTimes(timesFaster.median)} as fast as h5py, scipy and re-assembly` : ''}.`,
    );
}
