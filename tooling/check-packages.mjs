// Checks what would be published: packs every public package, runs publint and attw on the tarball, then unpacks all of
// them outside the workspace, as a strict package manager installs them. There it imports and requires every entry
// (stderr must stay empty), type-checks every entry alone and all README examples, runs examples and the command,
// and holds the sizes to their budgets and to docs/which-package.md. With --write-sizes it writes that page's sizes.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { transformSync } from 'esbuild';
import { checkSizePage } from './check-size-page.mjs';
import { installedSizes } from './installed-sizes.mjs';
import { packPackages, packPlatformPackage } from './pack-packages.mjs';
import { root } from './pnpm.mjs';
import { readmeExamples } from './readme-examples.mjs';
import { strictLayout } from './strict-layout.mjs';
import { typeErrors } from './type-errors.mjs';

/** What must be in a tarball beside its code. */
const DOCUMENTS = {
  '@prune/msgpack-store': ['FORMAT.md', 'THIRD-PARTY-NOTICES'],
  '@prune/sparse-codec': ['RESULTS.md', 'SPEC.md'],
};
/** What the examples of a README read, made by `makeInput`. */
const INPUTS = {
  'packages/bert-infer/README.md': ['mini-qa.prune'],
  'packages/checkpoint/README.md': ['fine-pruned-bert'],
  'packages/model-files/README.md': ['models'],
  'packages/tokenizer/README.md': ['models'],
  'packages/web/README.md': ['mini-qa.prune'],
};

const budgets = JSON.parse(readFileSync(join(root, 'tooling', 'package-budgets.json'), 'utf8'));
const work = mkdtempSync(join(tmpdir(), 'prune-packages-'));
const consumer = join(work, 'consumer');
const problems = [];
try {
  const packages = packPackages(work);
  for (const one of packages) checkTarball(one);
  const native = packPlatformPackage(work);
  if (native !== undefined) checkPlatformTarball(native);
  const makeProject = strictLayout(join(work, 'store'), [...packages, native].filter(Boolean));
  const everything = [...packages.map(({ manifest }) => manifest.name), 'h5wasm'];
  makeProject(consumer, everything);
  const entries = packages.flatMap(({ manifest }) =>
    Object.keys(manifest.exports ?? {}).map((path) => join(manifest.name, path).replaceAll('\\', '/')),
  );
  loadEntries(entries.filter((entry) => !isForOthers(entry)));
  typeCheckEntries(entries);
  runCommand();
  checkExamples(packages, makeProject, everything);
  const sizes = installedSizes(packages.map(({ manifest }) => join(consumer, 'node_modules', manifest.name)));
  problems.push(...checkSizePage(sizes, { write: process.argv.includes('--write-sizes') }));
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const problem of problems) console.error(`packages: ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);

function checkTarball({ folder, manifest, tarball }) {
  run('publint', [tarball, '--strict']);
  if (manifest.exports) run('attw', [tarball, '--profile', 'esm-only', '--no-color', '--format', 'table']);
  const files = checkSize(manifest.name, manifest.name, tarball);
  for (const wanted of ['README.md', 'LICENSE', 'package.json', ...(DOCUMENTS[manifest.name] ?? [])]) {
    if (!files.includes(`package/${wanted}`)) problems.push(`${manifest.name}: ${wanted} is not in the tarball`);
  }
  const readme = readFileSync(join(folder, 'README.md'), 'utf8');
  if (!readme.includes('](../../docs/which-package.md)'))
    problems.push(`${manifest.name}: no link to which-package.md`);
  // Changesets writes the file at a package's first release.
  if (!manifest.files.includes('CHANGELOG.md')) problems.push(`${manifest.name}: "files" does not list CHANGELOG.md`);
  if (files.some((file) => /\.test\./.test(file))) problems.push(`${manifest.name}: a test is in the tarball`);
}

/** Native kernels of one platform: nobody imports the package, so that it needs a budget and few files. */
function checkPlatformTarball({ manifest, tarball }) {
  const files = checkSize(manifest.name, '@prune/kernels-native-<platform>', tarball);
  for (const wanted of ['README.md', 'LICENSE', 'package.json', 'prune.node']) {
    if (!files.includes(`package/${wanted}`)) problems.push(`${manifest.name}: ${wanted} is not in the tarball`);
  }
  const packed = JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' }));
  // Without these, package managers would install the packages of all platforms.
  for (const field of ['os', 'cpu', 'libc']) {
    if (String(packed[field]) !== String(manifest[field])) problems.push(`${manifest.name}: wrong ${field}`);
  }
}

/** Holds a tarball to its budget; gives its files. */
function checkSize(name, budgetOf, tarball) {
  const bytes = statSync(tarball).size;
  const budget = budgets[budgetOf];
  console.log(`packages: ${name} ${(bytes / 1000).toFixed(1)} kB packed (budget ${budget / 1000} kB)`);
  if (!(bytes <= budget)) problems.push(`${name} has ${bytes} bytes packed, its budget is ${budget}`);
  return execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n');
}

/** WebAssembly and the program of a Web Worker: Node 20 imports neither. The tests of bert-infer use them. */
function isForOthers(entry) {
  return entry.endsWith('.wasm') || entry === '@prune/kernels/worker';
}

function loadEntries(entries) {
  for (const entry of entries) {
    const thrown = `if (Object.keys(m).length === 0) throw new Error('no exports')`;
    const name = JSON.stringify(entry);
    runNode(`import ${entry}`, ['--input-type=module', '-e', `const m = await import(${name}); ${thrown}`], consumer);
    // From Node 20.19 on. Node 20 and 22 call it experimental, outside of node_modules.
    if (!process.features.require_module) continue;
    const quiet = '--disable-warning=ExperimentalWarning';
    runNode(`require ${entry}`, [quiet, '-e', `const m = require(${name}); ${thrown}`], consumer);
  }
}

/** Each entry alone, without the types of Node and of the DOM: what one entry declares must not help another. */
function typeCheckEntries(entries) {
  for (const [i, entry] of entries.entries()) {
    const file = join(consumer, `entry-${i}.mts`);
    writeFileSync(file, `import * as entry from '${entry}';\nexport const value: object = entry;\n`);
    problems.push(...typeErrors([file], { lib: ['lib.es2022.d.ts'], types: [] }).map((text) => `${entry}: ${text}`));
  }
}

/** Runs the installed command in an empty folder. Its demo needs the repository, so the command must not list it. */
function runCommand() {
  const cwd = join(work, 'empty');
  mkdirSync(cwd);
  const help = prune(cwd, '--help');
  if (!/^ {2}answer /m.test(help)) problems.push(`prune --help does not list answer:\n${help}`);
  if (/^ {2}demo /m.test(help)) problems.push('prune --help lists demo, which needs the model of the repository');
  prune(cwd, 'pack', join(root, 'tooling', 'fixtures', 'golden', 'tiny'), '-o', 'tiny.prune', '--codec', 'entropy');
  prune(cwd, 'convert', 'tiny.prune', 'tiny.h5');
  prune(cwd, 'verify', 'tiny.prune', 'tiny.h5');
  writeFileSync(join(cwd, 'ids.json'), '{"input_ids": [[2, 45, 3]]}');
  prune(cwd, 'logits', 'tiny.prune', '--input', 'ids.json');
}

/**
 * Type-checks every TypeScript example, each README's in a project that has what the README installs, and runs those
 * that Node can run. Examples of pages without an `npm install` line see every package.
 */
function checkExamples(packages, makeProject, everything) {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...packages.map(({ folder }) => relative(root, join(folder, 'README.md'))),
  ];
  const found = pages.flatMap((page) => {
    const { examples, installs } = readmeExamples(join(root, page));
    if (examples.length === 0) return [];
    const cwd = join(work, 'examples', page.replaceAll(/[\\/]/g, '-'));
    makeProject(cwd, installs.length > 0 ? installs : everything);
    for (const name of INPUTS[page] ?? []) makeInput(name, cwd);
    return examples.map(({ line, code, runs }) => {
      const file = join(cwd, `line-${line}.mts`);
      writeFileSync(file, code);
      return { page: `${page}:${line}`, file, code, runs, cwd };
    });
  });
  const runnable = found.filter(({ runs }) => runs);
  const types = { types: ['node'], typeRoots: [join(root, 'node_modules', '@types')] };
  // What does not run in Node is for pages and their like, which have the types of the DOM.
  for (const [examples, lib] of [
    [runnable, ['lib.es2022.d.ts']],
    [found.filter(({ runs }) => !runs), ['lib.es2022.d.ts', 'lib.dom.d.ts']],
  ]) {
    const files = examples.map(({ file }) => file);
    problems.push(...typeErrors(files, { ...types, lib }).map((text) => `examples: ${text}`));
  }
  for (const { page, file, code, cwd } of runnable) {
    const script = file.replace(/\.mts$/, '.mjs');
    writeFileSync(script, transformSync(code, { loader: 'ts', format: 'esm' }).code);
    runNode(page, [basename(script)], cwd);
  }
  console.log(`packages: ${found.length} examples type-checked, ${runnable.length} run`);
}

function makeInput(name, cwd) {
  if (name === 'models') symlinkSync(join(root, 'models'), join(cwd, name), 'junction');
  else if (name === 'mini-qa.prune') prune(cwd, 'pack', join(root, 'models', 'mini-qa'), '-o', name);
  else {
    cpSync(join(root, 'tooling', 'fixtures', 'golden', 'tiny', 'config.json'), join(cwd, name, 'config.json'));
    // Its scores are the weights: it does not matter which ones are kept.
    const code = `import { writeSafetensors } from '@prune/checkpoint';
      import { openCheckpoint } from '@prune/checkpoint/node';
      import { atomicFile } from '@prune/core/node';
      const { tensors, close } = await openCheckpoint(${JSON.stringify(join(root, 'tooling/fixtures/golden/tiny'))});
      const scored = new Map();
      for (const key of tensors.keys()) {
        const value = await tensors.get(key);
        scored.set(key, value);
        const scores = key.replace(/weight$/, 'mask_scores');
        if (/encoder.*(query|key|value|dense)\\.weight$/.test(key)) scored.set(scores, value);
      }
      await writeSafetensors(await atomicFile(${JSON.stringify(join(cwd, name, 'model.safetensors'))}), scored);
      await close();`;
    runNode(`making ${name}`, ['--input-type=module', '-e', code], consumer);
  }
}

function prune(cwd, ...args) {
  return runNode(
    `prune ${args.join(' ')}`,
    [join(consumer, 'node_modules', '@prune', 'cli', 'bin', 'prune.js'), ...args],
    cwd,
  );
}

/** Runs Node, which must succeed without a word on stderr; gives its stdout. */
function runNode(what, args, cwd) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  if (status !== 0 || stderr !== '') problems.push(`${what}: ${stderr || `exit ${status}`}`);
  return stdout;
}

function run(tool, args) {
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules', '.bin', tool), args, {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) problems.push(`${tool} ${args.join(' ')}:\n${stdout}${stderr}`);
}
