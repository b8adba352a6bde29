import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** `pnpm@x.y.z`, as package.json pins it. */
export const pinnedPnpm = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager;

/** Runs exactly the pinned pnpm, its output on stderr unless `stdout` and `stderr` say otherwise; gives its exit status. */
export function runPnpm(args, { stdout = 2, stderr = 2 } = {}) {
  const { status, error } = spawnSync('npx', ['-y', pinnedPnpm, ...args], {
    cwd: root,
    // npm hands its own settings down as variables that pnpm would warn about; registries, certificates and proxies stay.
    env: Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^npm_config_/i.test(name) || /registry|cafile|proxy|cache/i.test(name),
      ),
    ),
    stdio: ['ignore', stdout, stderr],
    shell: process.platform === 'win32',
  });
  if (error) console.error(`pnpm: ${error.message}`);
  return status ?? 1;
}

/** Runs pnpm and exits with its status when it fails. */
export function pnpm(args, output) {
  const status = runPnpm(args, output);
  if (status !== 0) process.exit(status);
}
