import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REPOSITORY, repositoryFiles } from './repository-files.js';

test('CONTRIBUTING.md has a row for each PRUNE_* variable that the code names, and for no other', () => {
  const code = repositoryFiles(/^\.ci\/|\.(ts|js|mjs|py)$/).map((path) => readFileSync(`${REPOSITORY}${path}`, 'utf8'));
  const named = code.flatMap((text) => {
    const constants = new Set(all(/\bconst (PRUNE_\w+)/g, text));
    // The letter after the underscore: the pattern must not find itself in this file.
    return all(/\b(PRUNE_[A-Z]\w*)/g, text).filter((name) => !constants.has(name) && !isImported(name, text));
  });
  const contributing = readFileSync(`${REPOSITORY}CONTRIBUTING.md`, 'utf8');
  const rows = all(/^\| `(PRUNE_\w+)/gm, contributing);
  expect(rows).toEqual([...new Set(rows)]);
  expect([...rows].sort()).toEqual([...new Set(named)].sort());
});

function isImported(name: string, text: string): boolean {
  return new RegExp(`^import .*\\b${name}\\b.* from`, 'm').test(text);
}

function all(pattern: RegExp, text: string): string[] {
  return Array.from(text.matchAll(pattern), ([, name]) => name);
}
