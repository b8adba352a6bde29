import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inEveryPackage, newestChange } from './newest-change.mjs';
import { inNodeRange } from './node-range.mjs';
import { pinnedPnpm, root } from './pnpm.mjs';
import { quietStep } from './quiet-step.mjs';

const STAMP = join(root, 'node_modules', '.prune-install');
const UPDATE = 'npm run setup -- --update-lockfile';

/** Installs the dependencies, exactly those of the lockfile unless it is to be updated. Exits if that fails. */
export function install({ ifNeeded = false, updateLockfile = false } = {}) {
  checkNode();
  if (ifNeeded && existsSync(STAMP) && newestInput() <= statSync(STAMP).mtimeMs) return;
  const lockfile = updateLockfile ? '--no-frozen-lockfile' : '--frozen-lockfile';
  quietStep(`installing with ${pinnedPnpm}`, ['install', lockfile, '--prefer-offline'], explain);
  writeFileSync(STAMP, `${pinnedPnpm}\n`);
}

/** The tools need more than the packages do, so the repository has `engines` of its own. */
function checkNode() {
  const range = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node;
  if (inNodeRange(process.versions.node, range)) return;
  console.error(`setup: this repository needs Node ${range}, and this is Node ${process.versions.node}.
Install one of these versions, for example with nvm (nvm install 24) or from https://nodejs.org.`);
  process.exit(1);
}

/** What to do about what pnpm says of the lockfile; `undefined` if it says nothing of it. */
function explain(output) {
  if (output.includes('ERR_PNPM_OUTDATED_LOCKFILE')) {
    const [, file = 'a package.json'] = /not up to date with (?:<ROOT>\/)?(\S+package\.json)/.exec(output) ?? [];
    return `setup: pnpm-lock.yaml does not have the dependencies that ${file} asks for (pnpm-workspace.yaml has their versions).
- If you changed dependencies, update the lockfile and commit it together with your change: ${UPDATE}
- If you did not, take back the change of these files: git status shows it.
`;
  }
  if (output.includes('ERR_PNPM_LOCKFILE_CONFIG_MISMATCH')) {
    return `setup: pnpm-lock.yaml was made with other settings or versions than pnpm-workspace.yaml has.
- If you changed pnpm-workspace.yaml, update the lockfile and commit it together with your change: ${UPDATE}
- If you did not, take back the change of these files: git status shows it.
`;
  }
  if (output.includes('ERR_PNPM_BROKEN_LOCKFILE')) {
    return `setup: pnpm-lock.yaml cannot be read, perhaps because a merge left conflict markers in it.
Take the file of either side (git checkout --theirs pnpm-lock.yaml), then update it: ${UPDATE}
`;
  }
  return undefined;
}

function newestInput() {
  return newestChange([
    'package.json',
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    '.npmrc',
    ...inEveryPackage(['package.json']),
  ]);
}
