import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A project in `folder` with `files` and the fields of `manifest`, empty unless these are given. Our packages come from
 * `tarballs` (by name), also where one of them asks for another: each package manager reads its own kind of overrides.
 */
export function makeProject(folder, { tarballs, manifest: given = {}, files = {} }) {
  const specs = Object.fromEntries([...tarballs].map(([name, path]) => [name, `file:${path}`]));
  // npm refuses an override that differs from what the project itself asks for.
  const packed = (dependencies = {}) =>
    Object.fromEntries(Object.entries(dependencies).map(([name, version]) => [name, specs[name] ?? version]));
  const manifest = {
    private: true,
    ...given,
    dependencies: packed(given.dependencies),
    devDependencies: packed(given.devDependencies),
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
