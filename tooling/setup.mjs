// Installs with the pinned pnpm and builds. With --if-needed it does so only when the lockfile or a source is newer than the last set-up.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'node_modules', '.prune-setup');
const pinned = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`setup: Node ${process.versions.node} is too old, Node 20 or later is needed`);
  process.exit(1);
}
if (!process.argv.includes('--if-needed') || !existsSync(stamp) || newestInput() > statSync(stamp).mtimeMs) {
  pnpm('install', '--frozen-lockfile', '--prefer-offline');
  pnpm('run', 'build');
  writeFileSync(stamp, `${pinned}\n`);
}

function pnpm(...args) {
  console.error(`setup: pnpm ${args.join(' ')}`);
  const { status, error } = spawnSync('npx', ['-y', pinned, ...args], {
    cwd: root,
    // npm hands its own settings down as variables that pnpm would warn about.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_config_/i.test(name) || /registry|cafile|prox/i.test(name)),
    ),
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (error) console.error(`setup: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
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
