// `npm test` in the root, and in a package, where it runs that package's tests. Arguments are Vitest's; paths count
// from the folder of the call. With --watch it goes on. Tests see the sources, so only those of built-tests.json wait
// for a build.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { buildEverything } from './build-everything.mjs';
import { install } from './install.mjs';
import { root } from './pnpm.mjs';

const [mode, args] = takeWatch(process.argv.slice(2));
const folder = fromRoot(process.cwd());
const options = args.filter((arg) => arg.startsWith('-'));
const paths = args.filter(isPath).map((arg) => fromRoot(resolve(arg)));
const words = args.filter((arg, i) => !arg.startsWith('-') && !isPath(arg, i));

install({ ifNeeded: true });
const builtTests = JSON.parse(readFileSync(join(root, 'tooling', 'built-tests.json'), 'utf8'));
if (builtTests.some(isChosen)) buildEverything({ ifNeeded: true });
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    mode,
    '--root',
    root,
    ...(folder === '' ? [] : ['--dir', join(root, folder)]),
    ...args.map((arg, i) => (isPath(arg, i) ? fromRoot(resolve(arg)) : arg)),
  ],
  { stdio: 'inherit', cwd: root },
);
process.exit(status ?? 1);

/** Whether the arguments may choose a test. A word is part of a path, or the value of an option. */
function isChosen(test) {
  if (!test.startsWith(folder)) return false;
  if (paths.some((path) => test.startsWith(path)) || words.some((word) => test.includes(word))) return true;
  return paths.length === 0 && (words.length === 0 || options.length > 0);
}

/** The name of a test can be a folder's name too, so what follows -t is not a path. */
function isPath(arg, i) {
  return !arg.startsWith('-') && !/^(-t|--testNamePattern)$/.test(args[i - 1] ?? '') && existsSync(resolve(arg));
}

/** A path as it is from the root; a folder ends with a slash, so that `packages/csr` is not the start of others. */
function fromRoot(path) {
  const relativePath = relative(root, path).replaceAll('\\', '/');
  return relativePath !== '' && statSync(path).isDirectory() ? `${relativePath}/` : relativePath;
}

function takeWatch(all) {
  const rest = all.filter((arg) => arg !== '--watch');
  return [rest.length < all.length ? 'watch' : 'run', rest];
}
