// How the C code is compiled: the addon by build-native.mjs and build-platforms.mjs, its check by check-native.mjs.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NATIVE = fileURLToPath(new URL('../native', import.meta.url));

/** -ffp-contract=off keeps products and sums apart: a fused one rounds once, and has other bits. */
const FLAGS = [
  ...['-std=gnu11', '-ffp-contract=off', '-fno-math-errno', '-fwrapv', '-fPIC', '-fvisibility=hidden'],
  ...['-Wall', '-Wextra', '-Wno-psabi', '-pthread'],
];
const SANITIZERS = ['-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
const COMMON = ['quantization', 'pack', 'encoder', 'kernel-sets'];

/** tile.c is compiled once for each of these. */
const KERNELS = {
  x64: {
    avx2: ['-mavx2', '-mfma'],
    avxvnni: ['-mavx2', '-mfma', '-mavxvnni'],
    avx512: [...['f', 'bw', 'dq', 'vl', 'vnni'].map((one) => `-mavx512${one}`), '-mfma', '-mprefer-vector-width=512'],
  },
  arm64: { neon: ['-march=armv8.2-a+dotprod'] },
};

/** zig refuses -march. */
const ZIG_KERNELS = { ...KERNELS, arm64: { neon: ['-mcpu=generic+v8_2a+dotprod'] } };

/** How a shared library is linked. Node's own functions are found when the library is loaded. */
const SHARED = {
  linux: ['-shared'],
  // Without a name of its own, the library holds the path where it was linked.
  darwin: ['-dynamiclib', '-undefined', 'dynamic_lookup', '-Wl,-install_name,@rpath/prune.node'],
  win32: ['-shared'],
};

/**
 * The first compiler that knows the instructions, and what it says of itself; `undefined` also where there are no
 * kernels for this machine.
 */
export function findCompiler() {
  if (process.platform === 'win32' || !(process.arch in KERNELS)) return undefined;
  for (const name of [process.env.CC, 'clang', 'gcc', 'cc']) {
    if (!name || !canCompile(name)) continue;
    const { stdout } = spawnSync(name, ['--version'], { encoding: 'utf8' });
    return { name, version: stdout.split('\n')[0], os: process.platform, arch: process.arch };
  }
  return undefined;
}

/** A function that gives zig's C compiler for a platform of platforms.mjs; `undefined` where there is no zig. */
export function findZig() {
  const zig = [['zig'], ['python3', '-m', 'ziglang'], ['python', '-m', 'ziglang']].find(
    ([name, ...args]) => spawnSync(name, [...args, 'version']).status === 0,
  );
  if (zig === undefined) return undefined;
  const [name, ...args] = zig;
  return ({ os, cpu, target }) => ({
    name,
    // Without -s the addons hold symbols for debuggers, which are larger than the code.
    args: [...args, 'cc', '-target', target],
    linking: ['-s'],
    os,
    arch: cpu,
    kernels: ZIG_KERNELS,
  });
}

/** Old compilers lack instructions, and a compiler can be there without the headers of the C library. */
function canCompile(name) {
  const flags = [...FLAGS, ...Object.values(KERNELS[process.arch]).flat()];
  const args = [...flags, '-fsyntax-only', '-x', 'c', '-'];
  return spawnSync(name, args, { input: '#include <pthread.h>\n#include <stdatomic.h>\n' }).status === 0;
}

/** What a program wrote. Throws what it wrote as an error where it fails. */
export function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${error ?? ''}${stdout}${stderr}`);
  return stdout;
}

/** Everything that the compiled code depends on. */
export function inputsOf({ name, version }) {
  const files = readdirSync(NATIVE).filter((file) => /\.[ch]$/.test(file));
  const sources = [...files.sort().map((file) => join(NATIVE, file)), fileURLToPath(import.meta.url)];
  return [name, version, ...sources.map((path) => readFileSync(path, 'utf8'))];
}

/** Compiles the addon to `output`. `emulated`: C code stands for the instructions of VNNI. */
export async function compileAddon(compiler, folder, output, emulated) {
  const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers/package.json'));
  const flags = [`-I${join(headers, 'include')}`];
  const common = [...COMMON, 'addon'];
  if (compiler.os === 'win32') {
    common.push('windows-node');
    writeFileSync(join(folder, 'node-symbols.h'), nodeSymbols());
    // The headers declare Node's functions as exported from here.
    flags.push(`-I${folder}`, '-DNAPI_EXTERN=__declspec(dllimport)');
  }
  // C code in place of instructions is long, and compiled for tests alone.
  const sources = sourcesOf(compiler, common, emulated, emulated ? '-O1' : '-O3');
  const objects = await compile(compiler, folder, sources, flags);
  const { name, args = [], linking = [], os } = compiler;
  // Windows has the mathematics in its C library.
  const libraries = os === 'win32' ? [] : ['-lm'];
  run(name, [...args, ...SHARED[os], ...linking, '-pthread', ...objects, ...libraries, '-o', output]);
}

/** The functions of Node that addon.c calls, for windows-node.c. */
function nodeSymbols() {
  const names = readFileSync(join(NATIVE, 'addon.c'), 'utf8').match(/\bnapi_\w+(?=\()/g);
  return [...new Set(names)].map((name) => `NODE_SYMBOL(${name})\n`).join('');
}

/** Compiles native/test/hostile.c with sanitizers and every set of kernels, emulated ones too; gives its path. */
export async function compileSanitized(compiler, folder) {
  return compileProgram(compiler, folder, SANITIZERS, ['-fsanitize=address,undefined']);
}

/** The same for arm64 on another machine, without sanitizers, as a program that needs no libraries. */
export async function compileForArm64(name, folder) {
  return compileProgram({ name, os: 'linux', arch: 'arm64' }, folder, [], ['-static']);
}

async function compileProgram(compiler, folder, flags, linking) {
  const sources = sourcesOf(compiler, [...COMMON, 'test/hostile'], true, '-O1');
  const objects = await compile(compiler, folder, sources, flags);
  const program = join(folder, `hostile-${compiler.arch}`);
  run(compiler.name, [...linking, '-pthread', ...objects, '-lm', '-o', program]);
  return program;
}

/** Each source, the name of its object, and its flags. */
function sourcesOf({ arch, kernels = KERNELS }, common, emulated, optimization) {
  const sets = kernels[arch];
  const defines = emulated ? ['-DPN_EMULATED'] : [];
  return [
    // The kernels take longest.
    ...Object.entries(sets)
      .reverse()
      .map(([suffix, flags]) => {
        const own = emulated && suffix.startsWith('avx') && suffix !== 'avx2' ? [...sets.avx2, '-DPN_EMULATE'] : flags;
        const names = [`-DPN_ISA=PN_ISA_${suffix.toUpperCase()}`, `-DPN_SUFFIX=${suffix}`];
        return { source: 'tile', object: suffix, flags: [optimization, ...own, ...names] };
      }),
    ...common.map((source) => ({ source, object: source.replace('/', '-'), flags: [optimization, ...defines] })),
  ];
}

/** As many at a time as there are processors. */
async function compile({ name, args = [] }, folder, sources, flags) {
  const waiting = [...sources];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { source, object, flags: own } = next;
      await compiled(name, [
        ...[...args, ...FLAGS, ...flags, ...own, '-c', join(NATIVE, `${source}.c`)],
        ...['-o', join(folder, `${object}.o`)],
      ]);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return sources.map(({ object }) => join(folder, `${object}.o`));
}

function compiled(compiler, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(compiler, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    child.on('error', reject);
    child.on('close', (status) => {
      if (status !== 0) return reject(new Error(`${compiler} ${args.join(' ')}\n${said}`));
      process.stderr.write(said);
      resolve();
    });
  });
}
