import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { REPOSITORY, repositoryFiles } from './repository-files.js';

/** A copy of what an installation reads. */
let copy: string;
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'prune-setup-test-'));
  const files = repositoryFiles(/^(pnpm-[\w.-]+\.yaml|([^/]+\/[^/]+\/)?package\.json|tooling\/[\w-]+\.mjs)$/);
  for (const path of [...files, '.npmrc']) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(`${REPOSITORY}${path}`, join(copy, path));
  }
});
afterEach(() => rmSync(copy, { recursive: true }));

test('a package.json that asks for more than the lockfile has', () => {
  change('packages/csr/package.json', '"dependencies": {', '"dependencies": {\n    "fflate": "catalog:",');
  expect(setup()).toContain('pnpm-lock.yaml does not have the dependencies that packages/csr/package.json asks for');
});

test('a lockfile of other versions', () => {
  change('pnpm-workspace.yaml', /fflate: .*/, 'fflate: 0.0.1');
  expect(setup()).toContain('pnpm-lock.yaml was made with other settings or versions than pnpm-workspace.yaml has');
});

test('a lockfile with the marks of a conflict', () => {
  change('pnpm-lock.yaml', /^/, '<<<<<<< HEAD\n');
  expect(setup()).toContain('pnpm-lock.yaml cannot be read');
});

test('a Node that is too old', () => {
  change('package.json', /"node": ".*"/, '"node": "^99.0.0"');
  expect(setup()).toContain(`this repository needs Node ^99.0.0, and this is Node ${process.versions.node}`);
});

function change(path: string, from: string | RegExp, to: string): void {
  const text = readFileSync(join(copy, path), 'utf8');
  const changed = text.replace(from, to);
  expect(changed).not.toBe(text);
  writeFileSync(join(copy, path), changed);
}

/** What the set-up says. It fails. */
function setup(): string {
  const { status, stderr } = spawnSync(process.execPath, [join(copy, 'tooling/setup.mjs')], { encoding: 'utf8' });
  expect(status).not.toBe(0);
  return stderr;
}
