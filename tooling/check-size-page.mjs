import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './pnpm.mjs';

const PAGE = join('docs', 'which-package.md');
/** How far a size may be from what the page says: releases of dependencies move it. */
const TOLERANCE = 0.1;

/**
 * Compares the installed sizes of packages with the table of docs/which-package.md, whose rows end in the link of a
 * package and its size.
 * Returns a sentence for each row that is wrong or missing. With `write` it writes the measured sizes instead.
 */
export function checkSizePage(sizes, { write }) {
  const problems = [];
  let page = readFileSync(join(root, PAGE), 'utf8');
  for (const [name, bytes] of sizes) {
    const row = new RegExp(`^(\\|.*\\[\\x60${name}\\x60\\]\\([^)]*\\) \\| )([^|]*)( \\|)$`, 'm');
    const [, , said] = row.exec(page) ?? [];
    if (said === undefined) problems.push(`${PAGE} has no row for ${name}`);
    else if (write) page = page.replace(row, (_, before, __, after) => `${before}${shownSize(bytes)}${after}`);
    else if (!(Math.abs(bytesOf(said) - bytes) <= TOLERANCE * bytes)) {
      problems.push(
        `${PAGE} says ${said} for ${name}, measured ${shownSize(bytes)}: run check:packages with --write-sizes`,
      );
    }
  }
  if (write) writeFileSync(join(root, PAGE), page);
  return problems;
}

function shownSize(bytes) {
  return bytes < 999_500 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function bytesOf(text) {
  const [, number, unit] = /^([\d.]+) (kB|MB)$/.exec(text) ?? [];
  return Number(number) * (unit === 'MB' ? 1e6 : 1000);
}
