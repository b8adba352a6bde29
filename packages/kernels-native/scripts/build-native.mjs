// Builds the addon for this machine: build/<platform>-<arch>/prune.node. Without a C compiler it prints one line and
// succeeds, because everything works without the addon. `--emulated` builds a second addon, for tests, in which C code
// stands for the instructions of VNNI.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('..', import.meta.url));
const NATIVE = join(HERE, 'native');

/** -ffp-contract=off keeps products and sums apart: a fused one rounds once, and has other bits. */
const FLAGS = [
  ...['-std=gnu11', '-O3', '-ffp-contract=off', '-fno-math-errno', '-fwrapv', '-fPIC', '-fvisibility=hidden'],
  ...['-Wall', '-Wextra', '-Wno-psabi', '-pthread'],
];
const COMMON = ['quantization', 'pack', 'encoder', 'kernel-sets', 'addon'];

/** tile.c is compiled once for each of these. */
const KERNELS = {
  x64: {
    avx2: ['-mavx2', '-mfma'],
    avxvnni: ['-mavx2', '-mfma', '-mavxvnni'],
    avx512: [
      '-mavx512f',
      '-mavx512bw',
      '-mavx512dq',
      '-mavx512vl',
      '-mavx512vnni',
      '-mfma',
      '-mprefer-vector-width=512',
    ],
  },
  arm64: { neon: ['-march=armv8.2-a+dotprod'] },
};

/** The first compiler there is, and what it says of itself. */
function findCompiler() {
  for (const name of [process.env.CC, 'clang', 'gcc', 'cc']) {
    if (!name) continue;
    const { status, stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    if (status === 0) return { name, version: stdout.split('\n')[0] };
  }
  return undefined;
}

function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${error ?? stderr}`);
  if (stderr) process.stderr.write(stderr);
}

/** Compiles what has changed; gives the path of the addon. */
function build({ name: compiler, version }, { emulated }) {
  const kernels = KERNELS[process.arch];
  const folder = join(HERE, 'build', `${process.platform}-${process.arch}`);
  const addon = join(folder, emulated ? 'prune-emulated.node' : 'prune.node');
  const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json'));
  const key = createHash('sha256')
    .update(`${compiler} ${version} ${emulated}`)
    .update(readFileSync(import.meta.filename ?? fileURLToPath(import.meta.url)));
  for (const file of readdirSync(NATIVE)
    .filter((file) => /\.[ch]$/.test(file))
    .sort()) {
    key.update(file).update(readFileSync(join(NATIVE, file)));
  }
  const digest = key.digest('hex');
  const stamp = `${addon}.stamp`;
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return addon;
  const objects = join(folder, `objects-${process.pid}`);
  mkdirSync(objects, { recursive: true });
  try {
    const include = `-I${join(headers, 'include')}`;
    const defines = emulated ? ['-DPN_EMULATED_AVXVNNI', '-DPN_EMULATED_AVX512'] : [];
    const made = [];
    const compile = (source, object, flags) => {
      made.push(join(objects, `${object}.o`));
      run(compiler, [...FLAGS, include, ...flags, '-c', join(NATIVE, source), '-o', made.at(-1)]);
    };
    for (const file of COMMON) compile(`${file}.c`, file, defines);
    for (const [suffix, flags] of Object.entries(kernels)) {
      const own = emulated && suffix !== 'avx2' ? [...kernels.avx2, '-DPN_EMULATE'] : flags;
      compile('tile.c', suffix, [...own, `-DPN_ISA=PN_ISA_${suffix.toUpperCase()}`, `-DPN_SUFFIX=${suffix}`]);
    }
    const shared = process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared'];
    run(compiler, [...shared, '-pthread', ...made, '-lm', '-o', join(objects, 'prune.node')]);
    renameSync(join(objects, 'prune.node'), addon);
    writeFileSync(stamp, digest);
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
  return addon;
}

const compiler = findCompiler();
if (process.platform === 'win32' || !(process.arch in KERNELS)) {
  console.log(`kernels-native: not built, there are no native kernels for ${process.platform} on ${process.arch}`);
} else if (compiler === undefined) {
  console.log('kernels-native: not built, no C compiler was found (CC, clang, gcc or cc)');
} else {
  for (const emulated of process.argv.includes('--emulated') ? [false, true] : [false]) build(compiler, { emulated });
}
