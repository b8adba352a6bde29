import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pnpm, root } from './pnpm.mjs';

const NATIVE = join(root, 'packages/kernels-native');

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
  return packages.map((one) => ({ ...one, tarball: join(folder, fileNameOf(one.manifest)) }));
}

/**
 * Packs the package with the native kernels of this machine into `folder`, as it would be published but with the addon
 * that the build has made here. Gives its manifest as users see it, its folder and its tarball; `undefined` where
 * nothing was built, for want of a compiler or of a package for this machine.
 */
export function packPlatformPackage(folder) {
  const { platform, arch } = process;
  const built = join(NATIVE, 'build', `${platform}-${arch}`, 'prune.node');
  // What is built on a machine with musl runs on that machine, and is packed under the name that is looked for there.
  const musl = platform === 'linux' && process.report.getReport().header.glibcVersionRuntime === undefined;
  const place = join(NATIVE, 'npm', `${platform}-${arch}${musl ? '-musl' : ''}`);
  if (!existsSync(built) || !existsSync(place)) return undefined;
  // Packed from a copy, because only addons that zig has built may be published.
  const copy = join(NATIVE, 'npm', `.${process.pid}`);
  try {
    cpSync(place, copy, { recursive: true });
    cpSync(built, join(copy, 'prune.node'));
    pnpm(['--silent', '--dir', copy, 'pack', '--pack-destination', folder, '--json'], { stdout: 'ignore' });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  const manifest = asPublished(place);
  return { folder: place, manifest, tarball: join(folder, fileNameOf(manifest)) };
}

/** Manifests of the packages with native kernels, as users see them. */
export function platformManifests() {
  return readdirSync(join(NATIVE, 'npm')).map((name) => asPublished(join(NATIVE, 'npm', name)));
}

/** pnpm moves these fields at packing. In the repository they would keep pnpm from installing on other machines. */
function asPublished(folder) {
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const { os, cpu, libc } = manifest.publishConfig;
  return { ...manifest, os, cpu, libc };
}

function fileNameOf({ name, version }) {
  return `${name.replace('@', '').replace('/', '-')}-${version}.tgz`;
}

/** Folder and manifest of every package that is published, without those of single platforms. */
export function publicPackages() {
  return ['packages', 'apps']
    .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => !manifest.private);
}
