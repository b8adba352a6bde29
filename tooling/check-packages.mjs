// Checks what would be published: packs every public package, runs publint and attw on the tarball, then unpacks all of
// them into one empty project, imports every entry (stderr must stay empty), type-checks a consumer of every entry, runs
// the command, and holds the sizes to their budgets.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pnpm, root } from './pnpm.mjs';

const budgets = JSON.parse(readFileSync(join(root, 'tooling', 'package-budgets.json'), 'utf8'));
const work = mkdtempSync(join(tmpdir(), 'prune-packages-'));
const problems = [];
try {
  const packages = publicPackages();
  const modules = join(work, 'consumer', 'node_modules');
  mkdirSync(modules, { recursive: true });
  // Quiet: the list of every tarball's files would bury what is found.
  pnpm(
    [
      '--silent',
      '--filter',
      './packages/*',
      '--filter',
      './apps/cli',
      '--recursive',
      'exec',
      'pnpm',
      'pack',
      '--pack-destination',
      work,
      '--json',
    ],
    { stdout: 'ignore' },
  );
  for (const { folder, manifest } of packages) {
    const tarball = join(work, `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`);
    checkTarball(manifest, tarball);
    unpack(tarball, join(modules, manifest.name));
    linkDependencies(manifest, folder, modules);
  }
  const entries = packages.flatMap(({ manifest }) =>
    Object.keys(manifest.exports ?? {}).map((path) => join(manifest.name, path).replaceAll('\\', '/')),
  );
  importEntries(entries);
  typeCheckEntries(entries);
  runCommand();
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const problem of problems) console.error(`packages: ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);

function publicPackages() {
  return ['packages', 'apps']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => !manifest.private);
}

function checkTarball(manifest, tarball) {
  run('publint', [tarball, '--strict']);
  if (manifest.exports) run('attw', [tarball, '--profile', 'esm-only', '--no-color', '--format', 'table']);
  const bytes = statSync(tarball).size;
  const budget = budgets[manifest.name];
  console.log(`packages: ${manifest.name} ${(bytes / 1000).toFixed(1)} kB packed (budget ${budget / 1000} kB)`);
  if (!(bytes <= budget)) problems.push(`${manifest.name} has ${bytes} bytes packed, its budget is ${budget}`);
  const files = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' });
  for (const wanted of ['package/README.md', 'package/LICENSE', 'package/package.json']) {
    if (!files.includes(wanted)) problems.push(`${manifest.name}: ${wanted} is not in the tarball`);
  }
  if (/\.test\./.test(files)) problems.push(`${manifest.name}: a test is in the tarball`);
}

function unpack(tarball, target) {
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
}

/** The dependencies from outside, as this workspace has them installed. */
function linkDependencies(manifest, folder, modules) {
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    const link = join(modules, name);
    if (name.startsWith('@prune/') || existsSync(link)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(folder, 'node_modules', name), link, 'junction');
  }
}

function importEntries(entries) {
  for (const entry of entries) {
    const code = `const m = await import(${JSON.stringify(entry)}); if (Object.keys(m).length === 0) throw new Error('no exports')`;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      cwd: join(work, 'consumer'),
      encoding: 'utf8',
    });
    if (status !== 0 || stderr !== '') problems.push(`import ${entry}: ${stderr || `exit ${status}`}`);
  }
}

function typeCheckEntries(entries) {
  const lines = entries.map((entry, i) => `import * as m${i} from '${entry}';\nexport const n${i}: object = m${i};`);
  writeFileSync(join(work, 'consumer', 'consumer.mts'), lines.join('\n'));
  const options = ['--noEmit', '--strict', '--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom'];
  const types = ['--typeRoots', join(root, 'node_modules', '@types'), '--types', 'node', '--skipLibCheck', 'false'];
  run('tsc', [...options, ...types, 'consumer.mts'], join(work, 'consumer'));
}

/** Runs the installed command in an empty folder. Its demo needs the repository, so the command must not list it. */
function runCommand() {
  const cwd = join(work, 'empty');
  mkdirSync(cwd);
  const command = join(work, 'consumer', 'node_modules', '@prune', 'cli', 'bin', 'prune.js');
  const prune = (...args) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { cwd, encoding: 'utf8' });
    if (status !== 0 || stderr !== '') problems.push(`prune ${args.join(' ')}: ${stderr || `exit ${status}`}`);
    return stdout;
  };
  const help = prune('--help');
  if (!/^ {2}answer /m.test(help)) problems.push(`prune --help does not list answer:\n${help}`);
  if (/^ {2}demo /m.test(help)) problems.push('prune --help lists demo, which needs the model of the repository');
  prune('pack', join(root, 'tooling', 'fixtures', 'golden', 'tiny'), '-o', 'tiny.prune', '--codec', 'entropy');
  prune('convert', 'tiny.prune', 'tiny.h5');
  prune('verify', 'tiny.prune', 'tiny.h5');
  writeFileSync(join(cwd, 'ids.json'), '{"input_ids": [[2, 45, 3]]}');
  prune('logits', 'tiny.prune', '--input', 'ids.json');
}

function run(tool, args, cwd = root) {
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules', '.bin', tool), args, {
    cwd,
    encoding: 'utf8',
  });
  if (status !== 0) problems.push(`${tool} ${args.join(' ')}:\n${stdout}${stderr}`);
}
