// Writes what is generated in this package, in this order:
//
//     assembly/generated/layout.ts  from src/wasm/layout.ts (assembly-layout.mjs)
//     src/generated/*.ts            from assembly/: the WebAssembly as base64, with the SHA-256 of all its sources
//
// --check writes nothing. It makes everything once more and fails where a committed file is not the same, byte for byte.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { assemblyLayout } from './assembly-layout.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');
const REMEDY = 'npm run build:wasm';

// Shared memory in the binary; where there is none, the host flips one bit of the import
// (src/wasm/embedded-kernels.ts).
const OPTIONS = [
  'assembly/index.ts',
  '-O3',
  '--noAssert',
  '--converge',
  ...['--runtime', 'stub', '--importMemory', '--noExportMemory', '--sharedMemory'],
  ...['--initialMemory', '1', '--maximumMemory', '32767', '--lowMemoryLimit', '0'],
  ...['--enable', 'simd', '--enable', 'threads'],
];
const BUILDS = {
  'kernels-simd': ['--use', 'WIDE=0'],
  'kernels-relaxed': ['--enable', 'relaxed-simd', '--use', 'WIDE=0'],
  'kernels-wide': ['--enable', 'relaxed-simd', '--use', 'WIDE=1'],
};
/** What assembly/generated/layout.ts is made from. */
const LAYOUT_SOURCES = [
  'src/wasm/layout.ts',
  'src/wasm/round-up.ts',
  'src/wasm/struct.ts',
  'scripts/assembly-layout.mjs',
];

const LAYOUT = 'assembly/generated/layout.ts';
const layout = await assemblyLayout();
if (!check) write(LAYOUT, layout);
else if (read(LAYOUT) !== layout) fail(`${LAYOUT} is not what src/wasm/layout.ts gives: ${REMEDY}`);
else console.log(`kernels: ${LAYOUT} is what src/wasm/layout.ts gives`);

for (const [name, options] of Object.entries(BUILDS)) {
  const bytes = await compile([...OPTIONS, ...options]);
  const file = `src/generated/${name}.ts`;
  const text = source(name, bytes, hashOf([...OPTIONS, ...options]));
  if (!check) {
    write(file, text);
    console.log(`kernels: ${name} ${bytes.length} bytes`);
  } else if (read(file) === text) {
    console.log(`kernels: ${file} holds the ${bytes.length} bytes that assembly/ compiles to`);
  } else fail(`${file} ${difference(read(file), bytes)}: ${REMEDY}`);
}

async function compile(options) {
  const folder = mkdtempSync(join(tmpdir(), 'prune-kernels-'));
  try {
    const file = join(folder, 'kernels.wasm');
    const { error, stderr } = await asc.main([...options, '--baseDir', root, '-o', file]);
    if (error) throw new Error(`${error.message}\n${stderr.toString()}`);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of the sources, the options and the compiler's version. */
function hashOf(options) {
  const hash = createHash('sha256');
  const { version } = JSON.parse(read('node_modules/assemblyscript/package.json'));
  hash.update(JSON.stringify({ version, options }));
  const assembly = readdirSync(join(root, 'assembly'), { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `assembly/${name.replaceAll('\\', '/')}`);
  for (const name of [...assembly, ...LAYOUT_SOURCES].sort()) hash.update(`\n${name}\n`).update(read(name));
  return hash.digest('hex');
}

function source(name, bytes, hash) {
  const constant = name.replaceAll('-', '_').toUpperCase();
  return [
    '// Made by scripts/build-wasm.mjs from assembly/; do not edit.',
    `export const ${constant}_SOURCE_SHA256 = '${hash}';`,
    `export const ${constant} = '${bytes.toString('base64')}';`,
    '',
  ].join('\n');
}

/** Says whether a committed file has other WebAssembly, or the same from other sources. */
function difference(committed, bytes) {
  const [, base64 = ''] = /_SHA256 = .*\nexport const \w+ = '(.*)';/.exec(committed) ?? [];
  const old = Buffer.from(base64, 'base64');
  if (old.equals(bytes)) return 'has the right WebAssembly, but the SHA-256 of other sources';
  let at = 0;
  while (at < bytes.length && bytes[at] === old[at]) at++;
  return `has other WebAssembly: ${old.length} bytes, assembly/ compiles to ${bytes.length}, first difference at ${at}`;
}

function read(file) {
  try {
    return readFileSync(join(root, file), 'utf8').replaceAll('\r\n', '\n');
  } catch {
    return '';
  }
}

function write(file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function fail(message) {
  console.error(`kernels: ${message}`);
  process.exitCode = 1;
}
