import { type Section, table, text } from '../../document/document.js';
import {
  formatBytes,
  formatCount,
  formatPercent,
  formatSeconds,
  formatSummary,
  formatTimes,
} from '../../document/format.js';
import type { WebReport, WebRow } from './web-report.js';

/** What a visitor waits for, in each browser. */
export function describeWeb({ model, fileBytes, codeBytes, line, rows, agreement, ...asked }: WebReport): Section {
  const speed = `${formatCount(line.bitsPerSecond / 1e6)} Mbit/s and ${formatSeconds(line.latency)} before each answer`;
  return {
    id: 'web',
    title: 'In a browser',
    blocks: [
      text(
        `A page with a new profile opens ${model} by its URL and asks one question about ${asked.contextWords} words ("${asked.question}"), over a line of ${speed}; nothing comes from another host. ` +
          `Ours is the file of ${formatBytes(fileBytes)} (codec entropy) with @prune/web for pages without a bundler, ${formatBytes(codeBytes)} with gzip, in a worker; the peer is transformers.js with the same integers as a dense ` +
          'int8 graph, its word table as int8 rows, in the page. Code is sent with gzip on both sides, one thread each. Time runs from the start of the navigation; connecting costs nothing on this line. ' +
          "Bytes are the bodies that the server sent before the answer was there. The second visit is in the same profile, 2 s later; the last one comes after another visit whose option prefetch fetched the rest of our file. Every round counts. Agreement comes first: ours has Node's bits, the peer the same text.",
      ),
      table(
        'The first answer',
        [
          'browser|',
          'side|',
          'seconds, median (quartiles)',
          'times faster than the peer',
          'bytes',
          'of these, the model',
        ],
        rows.map((row) => [
          row.browser,
          row.side,
          formatSummary(row.first, formatSeconds),
          row.timesFaster ? formatSummary(row.timesFaster, formatTimes) : '-',
          formatBytes(row.bytes),
          formatBytes(row.modelBytes),
        ]),
      ),
      table(
        'The second visit, and how long the page could not react (of the first visit; Chromium: its long tasks, Firefox: time between two ticks of a timer)',
        ['browser|', 'side|', 'seconds, median (quartiles)', 'of the first', 'bytes', 'longest task'],
        rows.map((row) => [
          row.browser,
          row.side,
          formatSummary(row.second, formatSeconds),
          formatPercent(row.secondOverFirst.median),
          formatBytes(row.secondBytes),
          row.longestTask === 0 ? 'none over 50 ms' : formatSeconds(row.longestTask),
        ]),
      ),
      ...wholeVisits(rows),
      table(
        'Agreement before timing',
        ['browser|', 'side|', 'answer|', 'score'],
        agreement.map((row) => [row.browser, row.side, row.text, row.score.toPrecision(6)]),
      ),
    ],
  };
}

/** Of the sides that can fetch the rest of a model in the background. */
function wholeVisits(rows: readonly WebRow[]): Section['blocks'] {
  const found = rows.flatMap(({ browser, side, whole }) => {
    if (whole === undefined) return [];
    const { seconds, overFirst, bytes } = whole;
    const shown = [formatSummary(seconds, formatSeconds), formatPercent(overFirst.median), formatBytes(bytes)];
    return [[browser, side, ...shown]];
  });
  if (found.length === 0) return [];
  const columns = ['browser|', 'side|', 'seconds, median (quartiles)', 'of the first', 'bytes'];
  return [table('A visit when the whole model is kept', columns, found)];
}
