import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pnpm, root } from './pnpm.mjs';

/** Packs every public package into `folder`, as it would be published. */
export function packPackages(folder) {
  const packages = publicPackages();
  pnpm(
    [
      // Quiet: the list of every tarball's files would bury what a check finds.
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
      folder,
      '--json',
    ],
    { stdout: 'ignore' },
  );
  return packages.map(({ manifest, ...rest }) => {
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`;
    return { ...rest, manifest, tarball: join(folder, file) };
  });
}

/** Folder and manifest of every package that is published. */
export function publicPackages() {
  return ['packages', 'apps']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => !manifest.private);
}
