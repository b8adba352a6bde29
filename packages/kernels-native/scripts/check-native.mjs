// Compiles the C code with AddressSanitizer and UndefinedBehaviorSanitizer and lets native/test/hostile.c use it:
// `node scripts/check-native.mjs [rounds] [seed]`. PRUNE_FUZZ multiplies the rounds. Without a C compiler it prints one line.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileSanitized, findCompiler, run } from './native-compiler.mjs';

const rounds = Math.ceil(Number(process.argv[2] ?? 50) * Number(process.env.PRUNE_FUZZ ?? 1));
const compiler = findCompiler();
if (compiler === undefined) {
  console.log(
    'kernels-native: not checked, no C compiler was found (CC, clang, gcc or cc), or it has no kernels to compile',
  );
} else {
  const folder = mkdtempSync(join(tmpdir(), 'prune-native-'));
  try {
    const program = await compileSanitized(compiler, folder);
    const seed = Number(process.argv[3] ?? Date.now() % 1e6);
    console.log(`hostile.c with seed ${seed}`);
    process.stdout.write(run(program, [String(seed), String(rounds)]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
