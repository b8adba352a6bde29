// Holds the code against the picture in CONTRIBUTING.md: every import between packages is an arrow there and a declared
// dependency, every arrow is used, there is no cycle, and nothing imports an app.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './pnpm.mjs';

const picture = /```mermaid\n([\s\S]*?)```/.exec(readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8'))?.[1];
if (picture === undefined) fail(['CONTRIBUTING.md has no mermaid picture']);
const arrows = new Set(
  [...picture.matchAll(/^\s*([\w-]+) --> ([\w-]+)\s*$/gm)].map(([, from, to]) => `${from} --> ${to}`),
);

const problems = [];
const used = new Set();
for (const group of ['packages', 'apps']) {
  for (const name of readdirSync(join(root, group))) {
    const folder = join(root, group, name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
    for (const file of sourceFiles(join(folder, 'src'))) {
      const code = readFileSync(file, 'utf8');
      for (const [, to] of code.matchAll(/(?:from|import)\s*\(?\s*['"]@prune\/([\w-]+)/g)) {
        if (to === name) problems.push(`${file}: ${name} imports itself by name`);
        if (!(`@prune/${to}` in declared)) problems.push(`${file}: @prune/${to} is not in ${name}'s dependencies`);
        if (!arrows.has(`${name} --> ${to}`)) problems.push(`${file}: no arrow ${name} --> ${to} in CONTRIBUTING.md`);
        used.add(`${name} --> ${to}`);
      }
    }
    for (const dependency of Object.keys(declared)) {
      const to = /^@prune\/(.+)$/.exec(dependency)?.[1];
      if (to !== undefined && !used.has(`${name} --> ${to}`))
        problems.push(`${name} declares @prune/${to} and never imports it`);
    }
  }
}
for (const arrow of arrows) if (!used.has(arrow)) problems.push(`CONTRIBUTING.md draws ${arrow}, which no code has`);
problems.push(...cycles());
if (problems.length > 0) fail(problems);
console.log(`dependencies: ${arrows.size} arrows, as drawn, no cycle`);

function cycles() {
  const targets = new Map();
  for (const arrow of used) {
    const [from, to] = arrow.split(' --> ');
    targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const done = new Set();
  const found = [];
  const visit = (name, path) => {
    if (path.includes(name)) found.push(`cycle: ${[...path.slice(path.indexOf(name)), name].join(' --> ')}`);
    else if (!done.has(name)) {
      for (const to of targets.get(name) ?? []) visit(to, [...path, name]);
      done.add(name);
    }
  };
  for (const name of targets.keys()) visit(name, []);
  return found;
}

/** Everything that ships: `.ts` files below a folder, tests left out. */
function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return path.endsWith('.ts') && !path.endsWith('.test.ts') ? [path] : [];
  });
}

function fail(lines) {
  for (const line of lines) console.error(`dependencies: ${line}`);
  process.exit(1);
}
