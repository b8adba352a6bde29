import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './pnpm.mjs';

/**
 * The latest modification time below the given paths of the repository, in milliseconds; 0 if none of them is there.
 */
export function newestChange(paths) {
  return Math.max(0, ...paths.map((path) => newestIn(join(root, path))));
}

/** Paths of `parts` in every package, app and tool of the workspace. */
export function inEveryPackage(parts) {
  return ['packages', 'apps', 'tooling'].flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => parts.map((part) => join(group, name, part))),
  );
}

function newestIn(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return path.endsWith('.test.ts') ? 0 : stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestIn(join(path, name))));
}
