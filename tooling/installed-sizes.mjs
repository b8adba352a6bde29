import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * For each installed package, given by its folder: its name, and the bytes of its files together with those of
 * everything that is installed with it.
 */
export function installedSizes(folders) {
  return new Map(folders.map((folder) => [manifestOf(folder).name, bytesWithDependencies(folder)]));
}

function bytesWithDependencies(folder) {
  const installed = new Set();
  const visit = (path) => {
    const place = realpathSync(path);
    if (installed.has(place)) return;
    installed.add(place);
    const { name, dependencies, peerDependencies, peerDependenciesMeta } = manifestOf(place);
    for (const dependency of Object.keys({ ...dependencies, ...peerDependencies })) {
      // An optional package is not installed along.
      if (!peerDependenciesMeta?.[dependency]?.optional) visit(found(place, name, dependency));
    }
  };
  visit(folder);
  return [...installed].reduce((sum, place) => sum + bytesOf(place), 0);
}

/** Inside the package, or beside it. */
function found(place, name, dependency) {
  const beside = name.startsWith('@') ? dirname(dirname(place)) : dirname(place);
  return [join(place, 'node_modules', dependency), join(beside, dependency)].find((path) => existsSync(path));
}

function bytesOf(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  const names = readdirSync(path).filter((name) => name !== 'node_modules');
  return names.reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
