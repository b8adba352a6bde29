import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * An empty project in `folder` that depends on the packages of `used` and on `dependencies`. Our packages come from
 * `tarballs` (by name), also where one of them asks for another: each package manager reads its own kind of overrides.
 */
export function makeProject(folder, { tarballs, used, dependencies = {}, files = {} }) {
  const specs = Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:${path}`]));
  const own = Object.fromEntries(used.map((name) => [name, specs[name]]));
  const manifest = {
    private: true,
    dependencies: { ...own, ...dependencies },
    // npm, Bun.
    overrides: specs,
    // Yarn.
    resolutions: specs,
  };
  writeFiles(folder, {
    'package.json': JSON.stringify(manifest),
    'pnpm-workspace.yaml': JSON.stringify({ overrides: specs }),
    // Yarn would look for the project in the folders above.
    'yarn.lock': '',
    ...files,
  });
  return folder;
}

function writeFiles(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
