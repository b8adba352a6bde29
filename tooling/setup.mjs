// Installs with the pinned pnpm and builds. With --if-needed it does so only when the lockfile or a source is newer than the last set-up.
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pinnedPnpm, pnpm, root } from './pnpm.mjs';

const stamp = join(root, 'node_modules', '.prune-setup');

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`setup: Node ${process.versions.node} is too old, Node 20 or later is needed`);
  process.exit(1);
}
if (!process.argv.includes('--if-needed') || !existsSync(stamp) || newestInput() > statSync(stamp).mtimeMs) {
  console.error(`setup: installing and building with ${pinnedPnpm}`);
  pnpm(['install', '--frozen-lockfile', '--prefer-offline']);
  pnpm(['run', 'build']);
  writeFileSync(stamp, `${pinnedPnpm}\n`);
}

/** The latest modification time of what the build reads, in milliseconds. */
function newestInput() {
  const inputs = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', 'turbo.json', 'tooling'];
  for (const group of ['packages', 'apps']) {
    for (const name of readdirSync(join(root, group))) {
      for (const part of ['package.json', 'tsup.config.ts', 'src', 'assembly']) inputs.push(join(group, name, part));
    }
  }
  return Math.max(...inputs.map((path) => newestIn(join(root, path))));
}

function newestIn(path) {
  if (!existsSync(path)) return 0;
  const stat = statSync(path);
  if (!stat.isDirectory()) return path.endsWith('.test.ts') ? 0 : stat.mtimeMs;
  return Math.max(
    stat.mtimeMs,
    ...readdirSync(path)
      .filter((name) => name !== 'node_modules' && name !== 'golden')
      .map((name) => newestIn(join(path, name))),
  );
}
