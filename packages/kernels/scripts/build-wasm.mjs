// Compiles assembly/ to src/generated/*.ts: the WebAssembly as base64 with the SHA-256 of what it was made from.
// --check: fails, without writing, when the committed files are not what the sources give.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

// Shared memory in the binary; the host flips the one bit of the import where it has none (src/wasm/compile-kernels.ts).
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

let stale = 0;
for (const [name, options] of Object.entries(BUILDS)) {
  const bytes = await compile([...OPTIONS, ...options]);
  const target = join(root, 'src', 'generated', `${name}.ts`);
  const text = source(name, bytes, hashOf([...OPTIONS, ...options]));
  if (!check) {
    mkdirSync(join(root, 'src', 'generated'), { recursive: true });
    writeFileSync(target, text);
    console.log(`kernels: ${name} ${bytes.length} bytes`);
  } else if (read(target) !== text) {
    stale++;
    console.error(
      `kernels: src/generated/${name}.ts is not what assembly/ compiles to: npm run build:wasm -w packages/kernels`,
    );
  }
}
process.exit(stale > 0 ? 1 : 0);

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
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', 'assemblyscript', 'package.json'), 'utf8'));
  hash.update(JSON.stringify({ version, options }));
  for (const name of readdirSync(join(root, 'assembly')).sort()) {
    if (!name.endsWith('.ts')) continue;
    hash.update(`\n${name}\n`).update(readFileSync(join(root, 'assembly', name), 'utf8').replaceAll('\r\n', '\n'));
  }
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

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
