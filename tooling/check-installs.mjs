// Checks the packages as users get them: packs the public ones, installs the tarballs into empty projects outside the
// workspace, opens a packed mini-qa there, asks one question and embeds one text. It also builds the projects of
// `examples` and the page of the README with these tarballs, and holds their answers against Node's. Without arguments
// it tries what most people have, in about two minutes; --all tries every package manager, runtime and bundler below;
// other words choose checks whose names contain them.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { askWorker, WRANGLER_ENV } from './installs/ask-worker.mjs';
import { findChromium } from './installs/chromium.mjs';
import { makeProject } from './installs/make-project.mjs';
import { openPage, shownBy } from './installs/open-page.mjs';
import {
  ANSWER,
  APP,
  checkNative,
  checkResult,
  NATIVE_APP,
  PAGE_FILES,
  REQUIRING_APP,
  TEXTS,
} from './installs/programs.mjs';
import { runTool } from './installs/run-tool.mjs';
import { ESBUILD, NODES, OLDEST_NODE, TOOLS, TYPESCRIPTS } from './installs/versions.mjs';
import { withServer } from './installs/with-server.mjs';
import { packPackages, packPlatformPackage, platformManifests } from './pack-packages.mjs';
import { pinnedPnpm, root } from './pnpm.mjs';

/** What the projects import, so nothing else of ours is installed by name. */
const USED = ['@prune/bert-infer', '@prune/msgpack-store'];
const APPS = { 'app.mjs': APP, 'app.cjs': REQUIRING_APP };

/** The checks of every run of CI, in the order of what is found most often. */
const COMMON = {
  'npm with this Node': () => runApps(process.execPath, npmProject()),
  'no install scripts': () => {
    const { packages: places } = JSON.parse(readFileSync(join(everything(), 'package-lock.json'), 'utf8'));
    const scripted = Object.keys(places).filter((place) => places[place].hasInstallScript);
    if (scripted.length > 0) throw new Error(`users would have to allow the install scripts of ${scripted.join(', ')}`);
    // Where it is installed for another package, the bundled msgpackr would use it.
    const dist = join(everything(), 'node_modules/@prune/msgpack-store/dist');
    for (const file of readdirSync(dist)) {
      if (readFileSync(join(dist, file), 'utf8').includes('msgpackr-extract'))
        throw new Error(`${file} asks for msgpackr-extract`);
    }
  },
  'pnpm with this Node': () => {
    const folder = project('pnpm', { files: APPS });
    runTool('npx', ['-y', pinnedPnpm, 'install', '--prefer-offline'], { cwd: folder });
    runApps(process.execPath, folder);
  },
  'native kernels with npm': () => checkNativeKernels('npm'),
  'native kernels with pnpm': () => checkNativeKernels('pnpm'),
  'TypeScript, the oldest and a recent one': checkTypes,
  'esbuild in Chromium': async () => {
    const folder = installed('esbuild', {
      files: PAGE_FILES,
      manifest: { dependencies: { ...packed(USED), esbuild: ESBUILD } },
    });
    runTool('npx', ['esbuild', 'page.js', '--bundle', '--format=esm', '--outfile=page.js', '--allow-overwrite'], {
      cwd: folder,
    });
    checkResult(await openPage(folder, chromium));
  },
  'browser-plain and the README in Chromium': async () => {
    await checkExample('browser-plain', 'copy', { site: '.' });
    await checkReadme(join(work, 'browser-plain'));
  },
  'browser-vite in Chromium': () => checkExample('browser-vite', 'build', { assets: 'public', site: 'dist' }),
  'browser-vite, while it is written, in Chromium': () => checkDev('browser-vite', ['vite', '--port']),
};
const OTHERS = {
  [`npm with Node ${OLDEST_NODE}, imports alone`]: () => runApp(node(OLDEST_NODE), ['app.mjs'], npmProject()),
  ...Object.fromEntries(
    NODES.map((version) => [`npm with Node ${version}`, () => runApps(node(version), npmProject())]),
  ),
  "Yarn with Plug'n'Play": checkYarn,
  Bun: () => {
    const folder = project('bun', { files: APPS });
    const bun = join(tools(), 'node_modules/.bin/bun');
    runTool(bun, ['install'], { cwd: folder });
    runApp(bun, ['app.mjs'], folder);
  },
  Deno: () => {
    const deno = join(tools(), 'node_modules/.bin/deno');
    runApp(deno, ['run', '--quiet', '--allow-all', '--node-modules-dir=manual', 'app.mjs'], npmProject());
  },
  'browser-webpack in Chromium': () => checkExample('browser-webpack', 'build', { assets: 'public', site: 'public' }),
  'browser-next in Chromium': () => checkExample('browser-next', 'build', { assets: 'public', site: 'out' }),
  'browser-next, while it is written, in Chromium': () => checkDev('browser-next', ['next', 'dev', '--port']),
  'cloudflare-worker in workerd': checkWorker,
};

const words = process.argv.slice(2).filter((word) => word !== '--all');
const candidates = process.argv.includes('--all') || words.length > 0 ? { ...COMMON, ...OTHERS } : COMMON;
const chosen = Object.entries(candidates).filter(
  ([name]) => words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase())),
);
if (chosen.length === 0) throw new Error(`no check is called ${words.join(' or ')}`);

const chromium = findChromium();
const work = mkdtempSync(join(tmpdir(), 'prune-installs-'));
const model = join(work, 'mini-qa.prune');
let failures = 0;
let packages;
let native;
let tarballs;
try {
  mkdirSync(join(work, 'tarballs'));
  packages = packPackages(join(work, 'tarballs'));
  native = packPlatformPackage(join(work, 'tarballs'));
  tarballs = new Map([
    ...platformManifests().map((manifest) => [manifest.name, standIn(manifest)]),
    ...[...packages, native].filter(Boolean).map(({ manifest, tarball }) => [manifest.name, tarball]),
  ]);
  // The model is packed by the command as npm installs it.
  const prune = join(everything(), 'node_modules/.bin/prune');
  runTool(prune, ['pack', join(root, 'models/mini-qa'), '-o', model], { cwd: work });
  for (const [name, check] of chosen) {
    if (chromium === undefined && name.endsWith('in Chromium')) {
      console.log(`installs: ${name}: skipped, there is no Chromium`);
      continue;
    }
    const start = performance.now();
    try {
      await check();
      console.log(`installs: ${name}: ok in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    } catch (error) {
      failures++;
      console.error(`installs: ${name}: FAILED\n${error.message}`);
    }
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(failures > 0 ? 1 : 0);

function project(name, { files, manifest = { dependencies: packed(USED) } }) {
  const folder = join(work, name);
  makeProject(folder, { tarballs, manifest, files });
  if (existsSync(model)) cpSync(model, join(folder, 'mini-qa.prune'));
  return folder;
}

/** Dependencies on these packages of ours; the project takes their tarballs. */
function packed(names) {
  return Object.fromEntries(names.map((name) => [name, 'latest']));
}

/** The folder of a project that npm has installed, the first time that it is asked for. */
function installed(name, options) {
  const folder = join(work, name);
  if (existsSync(join(folder, 'node_modules'))) return folder;
  project(name, options);
  runTool('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: folder });
  return folder;
}

function npmProject() {
  return installed('npm', { files: APPS });
}

/** All our packages, and every TypeScript. */
function everything() {
  const versions = [...new Set(Object.values(TYPESCRIPTS).flat())];
  const dependencies = Object.fromEntries(versions.map((one) => [`typescript-${one}`, `npm:typescript@${one}`]));
  const own = packed(packages.map(({ manifest }) => manifest.name));
  return installed('everything', { manifest: { dependencies: { ...own, ...dependencies } } });
}

function tools() {
  return installed('tools', { manifest: { dependencies: TOOLS } });
}

function node(version) {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  return join(
    installed(`node-${version}`, { manifest: { dependencies: { [name]: version } } }),
    'node_modules',
    name,
    'bin/node',
  );
}

/** The native kernels come along, and nothing for other platforms; without optional dependencies others compute. */
function checkNativeKernels(manager) {
  if (native === undefined) {
    console.log('installs: native kernels were not built: there is no C compiler, or no package for this machine');
    return;
  }
  const manifest = { dependencies: packed([...USED, '@prune/kernels-native']) };
  for (const omitted of [false, true]) {
    const folder = join(work, `native-${manager}${omitted ? '-omitted' : ''}`);
    makeProject(folder, { tarballs, manifest, files: { 'app.mjs': NATIVE_APP } });
    cpSync(model, join(folder, 'mini-qa.prune'));
    const [command, ...args] = {
      npm: ['npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', ...(omitted ? ['--omit=optional'] : [])],
      pnpm: ['npx', '-y', pinnedPnpm, 'install', '--prefer-offline', ...(omitted ? ['--no-optional'] : [])],
    }[manager];
    runTool(command, args, { cwd: folder });
    // pnpm installs every tarball, whatever its os and cpu: it filters what comes from a registry.
    const found = manager === 'npm' ? readdirSync(join(folder, 'node_modules/@prune')) : [];
    const others = found.filter((name) => /^kernels-native-/.test(name) && `@prune/${name}` !== native.manifest.name);
    if (others.length > 0) throw new Error(`of other platforms, ${others.join(', ')} was installed`);
    checkNative(
      runTool(process.execPath, ['app.mjs'], { cwd: folder, quiet: true }),
      omitted ? native.manifest.name : undefined,
    );
  }
}

/** A package of another platform has nothing that this machine could use, but decides whether it is installed. */
function standIn({ name, version, os, cpu, libc }) {
  const folder = join(work, 'stand-ins', name);
  const tarball = `${folder}.tgz`;
  mkdirSync(join(folder, 'package'), { recursive: true });
  writeFileSync(join(folder, 'package/package.json'), JSON.stringify({ name, version, os, cpu, libc }));
  runTool('tar', ['-czf', tarball, '-C', folder, 'package'], { cwd: folder });
  return tarball;
}

function runApp(command, args, folder, env) {
  checkResult(runTool(command, args, { cwd: folder, env, quiet: true }));
}

/** As an ES module, and by `require`, which some versions of Node call experimental. */
function runApps(command, folder) {
  runApp(command, ['app.mjs'], folder);
  runApp(command, ['--disable-warning=ExperimentalWarning', 'app.cjs'], folder);
}

function checkYarn() {
  const folder = project('yarn', { files: APPS });
  const yarn = join(tools(), 'node_modules/@yarnpkg/cli-dist/bin/yarn.js');
  const env = {
    YARN_NPM_REGISTRY_SERVER: runTool('npm', ['config', 'get', 'registry'], { cwd: folder }).trim(),
    YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
    YARN_ENABLE_TELEMETRY: '0',
  };
  runTool(process.execPath, [yarn, 'install'], { cwd: folder, env });
  if (!existsSync(join(folder, '.pnp.cjs'))) throw new Error("Yarn did not install with Plug'n'Play");
  runApp(process.execPath, [yarn, 'node', 'app.mjs'], folder, env);
}

/** Every entry under --strict, without the types of Node and of the DOM, in each TypeScript. */
function checkTypes() {
  const entries = packages.flatMap(({ manifest }) =>
    Object.keys(manifest.exports ?? {}).map((path) => `${manifest.name}${path.slice(1)}`),
  );
  const code = entries.map((entry, i) => `import * as m${i} from '${entry}';\nexport const n${i}: object = m${i};\n`);
  for (const [moduleResolution, versions] of Object.entries(TYPESCRIPTS)) {
    const module = moduleResolution === 'bundler' ? 'esnext' : moduleResolution;
    const target = { target: 'es2022', lib: ['es2022'], types: [], module, moduleResolution };
    const compilerOptions = { noEmit: true, strict: true, skipLibCheck: false, ...target };
    const tsconfig = JSON.stringify({ compilerOptions, files: ['all.mts'] });
    const folder = everything();
    for (const [name, text] of Object.entries({ 'all.mts': code.join(''), 'tsconfig.json': tsconfig })) {
      writeFileSync(join(folder, name), text);
    }
    for (const version of versions) {
      runTool(process.execPath, [`node_modules/typescript-${version}/lib/tsc.js`, '-p', '.'], { cwd: folder });
    }
  }
}

/** A copy of an example that npm has installed, with our tarballs and with `mini-qa.prune` in its folder `assets`. */
function example(name, assets = '.') {
  const source = join(root, 'examples', name);
  const isSource = (path) => !/^(node_modules|dist|out|\..+|.+\.prune|package-lock\.json)$/.test(basename(path));
  cpSync(source, join(work, name), { recursive: true, filter: isSource });
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'));
  const folder = installed(name, { manifest });
  mkdirSync(join(folder, assets), { recursive: true });
  const own = join(folder, 'mini-qa.prune');
  // It has been moved already where another check has opened the example.
  if (assets !== '.' && existsSync(own)) renameSync(own, join(folder, assets, 'mini-qa.prune'));
  return folder;
}

/** Builds an example by a script of its own and opens the page in Chromium. */
async function checkExample(name, script, { assets, site }) {
  const folder = example(name, assets);
  runTool('npm', ['run', script], { cwd: folder, env: { NEXT_TELEMETRY_DISABLED: '1' } });
  checkResult(await openPage(join(folder, site), chromium), answerOfExample());
}

/** Opens an example in Chromium from the server that shows a page while it is written. */
async function checkDev(name, command) {
  const folder = example(name, 'public');
  const place = { cwd: folder, env: { NEXT_TELEMETRY_DISABLED: '1' } };
  await withServer(
    (port) => [...command, port],
    place,
    async (origin) => checkResult(await shownBy(origin, chromium), answerOfExample()),
  );
}

/** What the page of an example shows. */
function answerOfExample() {
  const { text, score } = answerOfNode(model, TEXTS);
  return `${text} (score ${score.toFixed(4)})`;
}

/** The page of the README, in a folder with `plain.js`, `plain-worker.js`, `wasm` and the model. */
async function checkReadme(folder) {
  const pages = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```html\n([\s\S]*?)^```$/gm)];
  if (pages.length !== 1) throw new Error(`README.md has ${pages.length} pages instead of 1`);
  const [, page] = pages[0];
  const [, question, context] = /question: '(.+?)', context: '(.+?)'/.exec(page);
  writeFileSync(join(folder, 'readme.html'), page);
  checkResult(await openPage(folder, chromium, 'readme.html'), answerOfNode(model, { question, context }).text);
}

async function checkWorker() {
  const folder = example('cloudflare-worker');
  // Wrangler needs Node 22.12 or later.
  const env = { ...WRANGLER_ENV, PATH: `${dirname(node(NODES.at(-1)))}${delimiter}${process.env.PATH}` };
  const npx = (...args) => runTool('npx', args, { cwd: folder, env });
  npx('tsc');
  npx('prune', 'pack', join(root, 'models/mini-qa'), '-o', 'mini-qa.prune', '--embeddings', 'int8', '--force');
  npx('wrangler', 'r2', 'object', 'put', 'models/mini-qa.prune', '--file', 'mini-qa.prune', '--local');
  const expected = answerOfNode(join(folder, 'mini-qa.prune'), TEXTS);
  checkResult(await askWorker(folder, TEXTS, env), JSON.stringify(expected));
}

/** What Node answers with the packages as npm installs them. */
function answerOfNode(path, { question, context }) {
  const args = ['--input-type=module', '--eval', ANSWER, '--', path, question, context];
  return JSON.parse(runTool(process.execPath, args, { cwd: npmProject() }));
}
