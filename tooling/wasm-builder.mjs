// Writes or checks the WebAssembly of a package, for its scripts/build-wasm.mjs:
//
//     src/generated/*.ts   from assembly/: the WebAssembly as base64, with the SHA-256 of all its sources
//
// --check writes nothing. It makes everything once more and fails where a committed file is not the same, byte for
// byte.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const REMEDY = 'npm run build:wasm';

/**
 * A builder for the package in the folder `root`, which messages call `name`. `asc` is the compiler that the package
 * depends on, and `sources` names its sources outside assembly/.
 */
export function wasmBuilder({ root, name, asc, sources }) {
  const check = process.argv.includes('--check');

  /** Writes or checks a file that is made from others in a way that `how` says. */
  function writeText(file, text, how) {
    if (!check) write(file, text);
    else if (read(file) !== text) fail(`${file} is not what ${how} gives: ${REMEDY}`);
    else console.log(`${name}: ${file} is what ${how} gives`);
  }

  /** Compiles assembly/index.ts with these options of the compiler into src/generated/`build`.ts; gives the bytes. */
  async function compileTo(build, options) {
    const all = ['assembly/index.ts', ...options];
    const bytes = await compile(all);
    const file = `src/generated/${build}.ts`;
    const text = source(build, bytes, hashOf(all));
    if (!check) {
      write(file, text);
      console.log(`${name}: ${build} ${bytes.length} bytes`);
    } else if (read(file) === text) {
      console.log(`${name}: ${file} holds the ${bytes.length} bytes that assembly/ compiles to`);
    } else fail(`${file} ${difference(read(file), bytes)}: ${REMEDY}`);
    return bytes;
  }

  async function compile(options) {
    const folder = mkdtempSync(join(tmpdir(), 'prune-wasm-'));
    try {
      const file = join(folder, 'build.wasm');
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
      .filter((file) => file.endsWith('.ts'))
      .map((file) => `assembly/${file.replaceAll('\\', '/')}`);
    for (const file of [...assembly, ...sources].sort()) hash.update(`\n${file}\n`).update(read(file));
    return hash.digest('hex');
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
    console.error(`${name}: ${message}`);
    process.exitCode = 1;
  }

  return { writeText, compileTo, fail };
}

function source(build, bytes, hash) {
  const constant = build.replaceAll('-', '_').toUpperCase();
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
