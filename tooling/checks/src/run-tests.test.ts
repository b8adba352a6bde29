import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY, repositoryFiles } from './repository-files.js';

/** What a test of a build names: the command, a bundle, or the condition that there is no build. */
const BUILD = /bin\/prune\.js|\bdist\/\w+\.js|\['not-built'\]/;

const files = repositoryFiles(/^(packages|apps)\/.*\.(ts|mjs)$/);

test('built-tests.json lists the tests that run what is built, which npm test makes for them', () => {
  const found = files
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => [path, ...helpersOf(path)].some((file) => BUILD.test(read(file))));
  expect(JSON.parse(read('tooling/built-tests.json'))).toEqual(found.sort());
});

test.each(repositoryFiles(/^(packages|apps)\/[^/]+\/package\.json$/))('%s has the script test', (path) => {
  expect(JSON.parse(read(path)).scripts.test).toBe('node ../../tooling/run-tests.mjs');
});

/** The files beside a test, or in folders beside it, that the test names. */
function helpersOf(path: string): string[] {
  const names = Array.from(read(path).matchAll(/['"](?:[\w./-]*\/)?([\w-]+)\.(js|mjs)['"]/g), ([, name, extension]) => {
    return `/${name}.${extension === 'js' ? 'ts' : extension}`;
  });
  return files.filter((file) => file.startsWith(dirname(path)) && names.some((name) => file.endsWith(name)));
}

function read(path: string): string {
  return readFileSync(`${REPOSITORY}${path}`, 'utf8');
}
