// Holds the code against the picture in CONTRIBUTING.md: every import between packages is an arrow there and a declared
// dependency, every arrow is used, there is no cycle, and nothing imports an app. Tests may use more packages than the
// code does, but only what a package exports, and the tests of a package that the code depends on. Inside a package,
// the folders of `src` do not import each other in a circle (cycles of single files are the linter's: noImportCycles).
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { root } from './pnpm.mjs';

const PICTURE = 'CONTRIBUTING.md';
const mermaid = /```mermaid\n([\s\S]*?)```/.exec(readFileSync(join(root, PICTURE), 'utf8'))?.[1];
if (mermaid === undefined) fail([`${PICTURE} has no mermaid picture`]);
const drawn = new Set([...mermaid.matchAll(/^\s*([\w-]+) --> ([\w-]+)\s*$/gm)].map(([, from, to]) => arrow(from, to)));

const units = ['packages', 'apps', 'tooling'].flatMap(unitsIn);
const exportsOf = new Map(units.map(({ manifest }) => [manifest.name, Object.keys(manifest.exports ?? {})]));
const used = new Set();
const problems = [];
for (const unit of units) {
  const folderArrows = new Set();
  for (const { path, isTest } of unit.files) {
    for (const specifier of importsOf(path)) {
      const where = `${relative(root, path)} imports ${specifier}`;
      if (specifier.startsWith('@prune/')) checkPackageImport(unit, specifier, isTest, where);
      else if (specifier.startsWith('.')) checkRelativeImport(unit, path, specifier, isTest, where, folderArrows);
    }
  }
  problems.push(...cyclesOf(folderArrows).map((cycle) => `${unit.name}: folders import each other: ${cycle}`));
  for (const dependency of Object.keys(unit.dependencies)) {
    const to = packageName(dependency);
    // An optional package is imported where it is found, by a name that is not written as an import.
    if (unit.manifest.peerDependenciesMeta?.[dependency]?.optional) continue;
    if (to !== undefined && unit.isDrawn && !used.has(arrow(unit.name, to))) {
      problems.push(`${unit.name} declares @prune/${to} and never imports it`);
    }
  }
}
for (const one of drawn) if (!used.has(one)) problems.push(`${PICTURE} draws ${one}, which no code has`);
problems.push(...cyclesOf(used).map((cycle) => `packages import each other: ${cycle}`));
if (problems.length > 0) fail(problems);
console.log(`dependencies: ${drawn.size} arrows, as drawn; no cycle of packages or of folders`);

function checkPackageImport(unit, specifier, isTest, where) {
  const to = packageName(specifier);
  const entry = `.${specifier.slice(`@prune/${to}`.length)}`;
  if (!exportsOf.get(`@prune/${to}`)?.includes(entry)) problems.push(`${where}, which that package does not export`);
  // A test may use the package as it is built.
  if (to === unit.name) {
    if (!isTest) problems.push(`${where}: it is the same package`);
    return;
  }
  const allowed = isTest ? { ...unit.dependencies, ...unit.manifest.devDependencies } : unit.dependencies;
  if (!Object.hasOwn(allowed, `@prune/${to}`)) problems.push(`${where}, which ${unit.name} does not depend on`);
  if (isTest || !unit.isDrawn) return;
  used.add(arrow(unit.name, to));
  if (!drawn.has(arrow(unit.name, to))) problems.push(`${where}: ${PICTURE} has no arrow ${arrow(unit.name, to)}`);
}

function checkRelativeImport(unit, path, specifier, isTest, where, folderArrows) {
  const target = join(dirname(path), specifier);
  if (target !== unit.folder && !target.startsWith(unit.folder + sep)) {
    // Suites that hold several packages to the same tests.
    const owner = units.find(({ folder }) => target.startsWith(join(folder, 'test') + sep))?.manifest.name;
    const allowed = isTest && owner !== undefined && Object.hasOwn(unit.dependencies, owner);
    if (!allowed) problems.push(`${where}, which is outside its package`);
  }
  const [from, to] = [path, target].map((file) => dirname(relative(join(unit.folder, 'src'), file)));
  // Files directly in src are the package's entries and seams: folders may use them, and they use folders.
  if (!isTest && from !== to && from !== '.' && to !== '.') folderArrows.add(arrow(from, to));
}

/** The packages in a folder of the workspace, each with its code. Tools are not in the picture. */
function unitsIn(group) {
  return readdirSync(join(root, group)).flatMap((name) => {
    const folder = join(root, group, name);
    if (!existsSync(join(folder, 'package.json'))) return [];
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = ['src', 'test'].flatMap((part) =>
      codeFiles(join(folder, part)).map((path) => ({
        path,
        isTest: part === 'test' || /\.(test|fixture)\.ts$/.test(path),
      })),
    );
    const dependencies = { ...manifest.dependencies, ...manifest.peerDependencies };
    return [{ name, folder, manifest, files, dependencies, isDrawn: group !== 'tooling' }];
  });
}

function codeFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** The specifiers of a file's imports, exports and dynamic imports, and of the URLs that it makes of source files. */
function importsOf(path) {
  const code = readFileSync(path, 'utf8');
  const imports = code.matchAll(/(?:\bfrom\s|\bimport\s|\bimport\()\s*['"]((?:@prune\/|\.)[^'"]*)['"]/g);
  const urls = code.matchAll(/new URL\(\s*['"](\.[^'"]*\/src\/[^'"]*)['"]/g);
  return [...imports, ...urls].map(([, specifier]) => specifier);
}

function packageName(specifier) {
  return /^@prune\/([\w-]+)/.exec(specifier)?.[1];
}

function arrow(from, to) {
  return `${from} --> ${to}`;
}

function cyclesOf(arrows) {
  const targets = new Map();
  for (const one of arrows) {
    const [from, to] = one.split(' --> ');
    targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const done = new Set();
  const found = [];
  const visit = (name, path) => {
    if (path.includes(name)) found.push([...path.slice(path.indexOf(name)), name].join(' --> '));
    else if (!done.has(name)) {
      for (const to of targets.get(name) ?? []) visit(to, [...path, name]);
      done.add(name);
    }
  };
  for (const name of targets.keys()) visit(name, []);
  return found;
}

function fail(lines) {
  for (const line of lines) console.error(`dependencies: ${line}`);
  process.exit(1);
}
