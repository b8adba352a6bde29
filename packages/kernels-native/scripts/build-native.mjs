// Builds the addon for this machine: build/<platform>-<arch>/prune.node. Without a C compiler it prints one line and
// succeeds, because everything works without the addon. `--emulated` builds a second addon, for tests, in which C code
// stands for the instructions of VNNI. What has not changed is not built again.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compileAddon, findCompiler, inputsOf } from './native-compiler.mjs';

const FOLDER = fileURLToPath(new URL(`../build/${process.platform}-${process.arch}`, import.meta.url));

async function build(compiler, name, emulated) {
  const addon = join(FOLDER, `${name}.node`);
  const stamp = `${addon}.stamp`;
  const key = createHash('sha256');
  for (const input of inputsOf(compiler)) key.update(input).update('\0');
  const digest = key.digest('hex');
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return;
  const objects = join(FOLDER, `objects-${process.pid}`);
  mkdirSync(objects, { recursive: true });
  try {
    const made = join(objects, 'made.node');
    await compileAddon(compiler, objects, made, emulated);
    // A process that has loaded the old file keeps it.
    renameSync(made, addon);
    writeFileSync(stamp, digest);
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

const compiler = findCompiler();
if (compiler === undefined) {
  console.log(
    `kernels-native: not built, there is no C compiler (CC, clang 16 or later, gcc 12 or later, or cc) or no kernels for ${process.platform} on ${process.arch}`,
  );
} else {
  await build(compiler, 'prune', false);
  if (process.argv.includes('--emulated')) await build(compiler, 'prune-emulated', true);
}
