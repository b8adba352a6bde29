// Compiles the C code with AddressSanitizer and UndefinedBehaviorSanitizer and lets native/test/hostile.c use it:
// `node scripts/check-native.mjs [rounds] [seed]`. PRUNE_FUZZ multiplies the rounds. Then some of the same rounds for
// arm64 under qemu, where a cross compiler and qemu are installed: results must be the same bits. Without a C compiler
// it prints one line.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileForArm64, compileSanitized, findCompiler, run } from './native-compiler.mjs';

const ARM64_COMPILER = 'aarch64-linux-gnu-gcc';
const ARM64_ROUNDS = 10;

const rounds = Math.ceil(Number(process.argv[2] ?? 50) * Number(process.env.PRUNE_FUZZ ?? 1));
const seed = String(process.argv[3] ?? Date.now() % 1e6);

const compiler = findCompiler();
if (compiler === undefined) {
  console.log(
    'kernels-native: not checked, there is no C compiler (CC, clang, gcc or cc) or no kernels for this machine',
  );
} else {
  const folder = mkdtempSync(join(tmpdir(), 'prune-native-'));
  try {
    console.log(`kernels-native: hostile callers with seed ${seed}`);
    const program = await compileSanitized(compiler, folder);
    process.stdout.write(run(program, [seed, String(rounds)]));
    await checkArm64(program, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function checkArm64(program, folder) {
  const qemu = ['qemu-aarch64-static', 'qemu-aarch64'].find((name) => exists(name));
  if (process.arch !== 'x64' || qemu === undefined || !exists(ARM64_COMPILER)) {
    console.log(`kernels-native: arm64 not checked, ${ARM64_COMPILER} or qemu-aarch64-static is not on the PATH`);
    return;
  }
  const objects = join(folder, 'arm64');
  mkdirSync(objects);
  const arm64 = await compileForArm64(ARM64_COMPILER, objects);
  const [here, there] = [
    run(program, [seed, String(ARM64_ROUNDS)]),
    run(qemu, ['-cpu', 'max', arm64, seed, String(ARM64_ROUNDS)]),
  ];
  if (here !== there) throw new Error(`arm64 has other results: ${there.trim()}, and x64 ${here.trim()}`);
  console.log(`kernels-native: arm64 under qemu gives the same bits: ${there.trim()}`);
}

function exists(name) {
  return spawnSync(name, ['--version']).status === 0;
}
