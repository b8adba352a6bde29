import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Unpacks tarballs the way strict package managers install them: a package sees the dependencies that its manifest
 * names, and a project sees the packages that it installed, nothing else. Dependencies from outside are the ones that
 * this workspace has installed. Returns a function that makes such a project in `folder`.
 */
export function strictLayout(store, packages) {
  const placeOf = (name) => join(store, name.replace('/', '+'), 'node_modules');
  const own = new Map(packages.map((one) => [one.manifest.name, one]));
  for (const { manifest, tarball } of packages) {
    const target = join(placeOf(manifest.name), manifest.name);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
  }
  for (const { folder, manifest } of packages) {
    for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
      if (manifest.peerDependenciesMeta?.[name]?.optional) continue;
      link(placeOf(manifest.name), name, folder);
    }
    for (const name of Object.keys(manifest.optionalDependencies ?? {})) {
      if (own.has(name)) link(placeOf(manifest.name), name);
    }
  }
  return (folder, names) => {
    const users = packages.map((one) => one.folder);
    for (const name of names) {
      const user = users.find((one) => existsSync(join(one, 'node_modules', name)));
      link(join(folder, 'node_modules'), name, user);
    }
  };

  function link(modules, name, user) {
    if (!own.has(name) && user === undefined) throw new Error(`no package of this workspace depends on ${name}`);
    const target = own.has(name) ? join(placeOf(name), name) : realpathSync(join(user, 'node_modules', name));
    const path = join(modules, name);
    if (existsSync(path)) return;
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path, 'junction');
  }
}
