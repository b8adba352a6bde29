import { escapeControls } from '@prune/core';
import Table from 'cli-table3';

/** A column: its title, and whether its cells are numbers (aligned right). */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** A table for a terminal: light rules, numbers to the right; no colour, so that it reads the same in a file. */
export function textTable(columns: readonly Column[], texts: readonly (readonly string[])[]): string {
  const rows = escapedCells(texts);
  const table = new Table({
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ right }) => (right ? 'right' : 'left')),
    style: { head: [], border: [], compact: true, 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  const rule = columns.map(({ title }, i) => '─'.repeat(Math.max(title.length, ...rows.map((row) => row[i].length))));
  table.push(rule, ...rows);
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** The same table in Markdown. */
export function markdownTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    line(columns.map(({ title }) => title)),
    line(columns.map(({ right }) => (right ? '--:' : '---'))),
    ...escapedCells(rows).map(line),
  ].join('\n');
}

/** A name with a newline in it must not look like a row of its own. */
function escapedCells(rows: readonly (readonly string[])[]): string[][] {
  return rows.map((row) => row.map((cell) => escapeControls(cell)));
}
