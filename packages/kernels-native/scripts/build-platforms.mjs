// Builds the addon of every platform with zig, from any machine, into the packages of npm/: `node
// scripts/build-platforms.mjs [platform ...]`. What has not changed is not built again. Every addon is inspected: see
// inspect-addon.mjs. zig is looked for as `zig` on the PATH, then as the Python package ziglang (pip install ziglang).
//
// `--check` builds nothing and fails unless the addons are there, made from these sources: a package is published only
// then.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspectAddon } from './inspect-addon.mjs';
import { compileAddon, findZig, inputsOf } from './native-compiler.mjs';
import { platforms } from './platforms.mjs';

const names = process.argv.slice(2).filter((argument) => argument !== '--check');
const known = platforms();
const unknown = names.filter((name) => !known.some((one) => one.name === name));
if (unknown.length > 0) fail(`${unknown.join(', ')}: wanted ${known.map(({ name }) => name).join(', ')}`);
const chosen = known.filter(({ name }) => names.length === 0 || names.includes(name));

if (process.argv.includes('--check')) {
  for (const platform of chosen) {
    if (!isCurrent(platform)) fail(`${platform.name}: not built from these sources, run npm run build:native-all`);
    inspectAddon(addonOf(platform), platform);
  }
} else {
  const zig = findZig();
  if (zig === undefined) fail('there is no zig on the PATH, and no Python package ziglang (pip install ziglang)');
  for (const platform of chosen) {
    if (!isCurrent(platform)) await build(zig, platform);
    inspectAddon(addonOf(platform), platform);
    console.log(`kernels-native: ${platform.name} ${(statSync(addonOf(platform)).size / 1000).toFixed(0)} kB`);
  }
}

function addonOf({ folder }) {
  return join(folder, 'prune.node');
}

function stampOf(platform) {
  return `${addonOf(platform)}.stamp`;
}

function isCurrent(platform) {
  if (!existsSync(addonOf(platform)) || !existsSync(stampOf(platform))) return false;
  return readFileSync(stampOf(platform), 'utf8') === digestOf(platform);
}

/** Of the sources and the target, not of zig: the machine that publishes need not have it. */
function digestOf({ target }) {
  const key = createHash('sha256');
  for (const input of inputsOf({ name: 'zig', version: target })) key.update(input).update('\0');
  return key.digest('hex');
}

async function build(zig, platform) {
  const objects = mkdtempSync(join(platform.folder, 'prune.node.objects-'));
  try {
    const made = join(objects, 'made.node');
    await compileAddon(zig(platform), objects, made, false);
    renameSync(made, addonOf(platform));
    writeFileSync(stampOf(platform), digestOf(platform));
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

function fail(message) {
  console.error(`kernels-native: ${message}`);
  process.exit(1);
}
