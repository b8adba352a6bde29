// `npm run -s prune -- <arguments>`: runs the command from the sources, without a build. A change of @prune/core takes
// the build minutes, most of them for declarations. This bundles each package alone in a second, without declarations,
// into `.dev` beside `dist`, so that paths and dependencies are found from there as they are from `dist`.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, stop } from 'esbuild';
import { root } from './pnpm.mjs';

const FOLDER = '.dev';
const command = join(root, 'apps', 'cli');
const packages = readdirSync(join(root, 'packages'))
  .map((name) => join(root, 'packages', name))
  .filter((folder) => existsSync(join(folder, 'package.json')));

await Promise.all([...packages.map((folder) => bundle(folder, sourcesOf(folder))), bundle(command, ['src/main.ts'])]);
await stop();
process.setSourceMapsEnabled(true);
// npm starts a script in the folder of its package.json and says in INIT_CWD where the user is.
if (process.env.npm_lifecycle_event === 'prune') process.chdir(process.env.INIT_CWD);
const main = join(command, FOLDER, 'main.js');
process.argv[1] = main;
await import(pathToFileURL(main).href);

async function bundle(folder, sources) {
  const { outputFiles } = await build({
    absWorkingDir: folder,
    entryPoints: sources,
    outdir: FOLDER,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    sourcemap: true,
    packages: 'external',
    plugins: [{ name: 'prune-bundles', setup: ({ onResolve }) => onResolve({ filter: /^@prune\// }, resolveBundle) }],
    write: false,
  });
  // A file that says the same is left alone, because another run of the command may be reading it.
  for (const { path, contents } of outputFiles) {
    if (existsSync(path) && readFileSync(path).equals(contents)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
  }
  const made = new Set(outputFiles.map(({ path }) => path));
  for (const name of readdirSync(join(folder, FOLDER))) {
    const path = join(folder, FOLDER, name);
    if (!made.has(path)) rmSync(path);
  }
}

/** The sources of a package's entries: `./node` is `src/node.ts`. */
function sourcesOf(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.keys(exports)
    .map((entry) => `src/${entry === '.' ? 'index' : entry.slice('./'.length)}.ts`)
    .filter((source) => existsSync(join(folder, source)));
}

/** Where `@prune/core/node` is bundled to. */
function resolveBundle({ path }) {
  const [, name, entry = 'index'] = path.split('/');
  return { path: pathToFileURL(join(root, 'packages', name, FOLDER, `${entry}.js`)).href, external: true };
}
