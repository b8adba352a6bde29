// Installs with the pinned pnpm and builds. With --if-needed it does so only when the lockfile or a source is newer than the last set-up.
// Says a line a step; what the tools say is shown when a step fails.
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinnedPnpm, root, runPnpm } from './pnpm.mjs';

const stamp = join(root, 'node_modules', '.prune-setup');

if (Number(process.versions.node.split('.')[0]) < 20) {
  console.error(`setup: Node ${process.versions.node} is too old, Node 20 or later is needed`);
  process.exit(1);
}
if (!process.argv.includes('--if-needed') || !existsSync(stamp) || newestInput() > statSync(stamp).mtimeMs) {
  step(`installing with ${pinnedPnpm}`, ['install', '--frozen-lockfile', '--prefer-offline']);
  step('building', ['run', 'build']);
  writeFileSync(stamp, `${pinnedPnpm}\n`);
}

/** Runs pnpm, its output into a file: both streams in their order, whatever their size. */
function step(what, args) {
  process.stderr.write(`setup: ${what} ... `);
  const start = performance.now();
  const folder = mkdtempSync(join(tmpdir(), 'prune-setup-'));
  const log = join(folder, 'log');
  const file = openSync(log, 'w');
  const status = runPnpm(args, { stdout: file, stderr: file });
  closeSync(file);
  process.stderr.write(`${status === 0 ? 'done' : 'FAILED'} in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  if (status !== 0) process.stderr.write(readFileSync(log));
  rmSync(folder, { recursive: true });
  if (status !== 0) process.exit(status);
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
