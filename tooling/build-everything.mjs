import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inEveryPackage, newestChange } from './newest-change.mjs';
import { pinnedPnpm, pnpm, root } from './pnpm.mjs';
import { quietStep } from './quiet-step.mjs';

const STAMP = join(root, 'node_modules', '.prune-build');
const BUILD = ['exec', 'turbo', 'run', 'build'];

/** Builds every package and app. `ifNeeded`: only if a source changed since the last time. Exits if that fails. */
export function buildEverything({ ifNeeded = false, quiet = true } = {}) {
  if (ifNeeded && existsSync(STAMP) && newestInput() <= statSync(STAMP).mtimeMs) return;
  if (quiet) quietStep('building', BUILD);
  else pnpm(BUILD);
  writeFileSync(STAMP, `${pinnedPnpm}\n`);
}

/** When something that the build reads was last changed. */
function newestInput() {
  return newestChange([
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'turbo.json',
    'tooling/tsconfig.base.json',
    'tooling/tsup.ts',
    ...inEveryPackage(['package.json', 'tsup.config.ts', 'src', 'assembly']),
  ]);
}
