// What can be known of an addon that does not run on this machine, from llvm-objdump.
import { spawnSync } from 'node:child_process';
import { run } from './native-compiler.mjs';
import { GLIBC } from './platforms.mjs';

const OBJDUMP = 'llvm-objdump';

/** For each system: llvm's name of the format, and libraries that are there wherever Node is. */
const FORMATS = {
  linux: {
    format: { x64: 'elf64-x86-64', arm64: 'elf64-littleaarch64' },
    libraries: /^(lib(c|m|pthread|dl)\.so(\.6|\.0|\.2)?|ld-linux-[\w-]+\.so\.\d)$/,
  },
  darwin: {
    format: { x64: 'mach-o 64-bit x86-64', arm64: 'mach-o arm64' },
    libraries: /^\/usr\/lib\/libSystem\.B\.dylib$/,
  },
  win32: {
    format: { x64: 'coff-x86-64', arm64: 'coff-arm64' },
    libraries: /^(kernel32|ntdll|api-ms-win-crt-[\w-]+)\.dll$/i,
  },
};

/**
 * Throws unless the addon is a shared library of its platform, exports what Node calls, and needs nothing but libraries
 * of the system, of glibc no later version than Node.
 */
export function inspectAddon(path, { name, os, cpu, libc }) {
  if (spawnSync(OBJDUMP, ['--version']).status !== 0) {
    throw new Error(`${OBJDUMP} is not on the PATH: it is in Debian's package llvm`);
  }
  const { format, libraries } = FORMATS[os];
  const headers = run(OBJDUMP, ['-p', path]);
  const refuse = (text) => {
    throw new Error(`${name}: ${path} ${text}`);
  };
  if (!headers.includes(`file format ${format[cpu]}`)) refuse(`is not ${format[cpu]}:\n${headers.split('\n')[1]}`);
  const { needed, exported } = READ[os](path, headers);
  const strange = needed.filter((library) => !libraries.test(library));
  if (needed.length === 0 || strange.length > 0) refuse(`needs ${strange.join(', ') || 'not even the C library'}`);
  if (!exported.includes('napi_register_module_v1')) refuse(`exports ${exported.join(', ')}`);
  if (libc === 'glibc') {
    const later = headers.match(/GLIBC_[\d.]+/g)?.find((version) => isLater(version.slice('GLIBC_'.length), GLIBC));
    if (later !== undefined) refuse(`needs ${later}, and Node needs ${GLIBC}`);
  } else if (headers.includes('GLIBC_')) refuse('needs glibc');
  if (os === 'darwin' && cpu === 'arm64' && !headers.includes('LC_CODE_SIGNATURE')) refuse('is not signed');
}

const READ = {
  linux: (path, headers) => ({
    needed: found(headers, /^\s*NEEDED\s+(\S+)/gm),
    exported: found(run(OBJDUMP, ['-T', path]), /^[\da-f]+ g\s+DF \.text\s.*?(\w+)$/gm),
  }),
  darwin: (path) => ({
    // The addon's own name begins with @rpath.
    needed: found(run(OBJDUMP, ['--macho', '--dylibs-used', path]), /^\s+(\/\S+) \(/gm),
    exported: found(run(OBJDUMP, ['--macho', '--exports-trie', path]), /^0x[\dA-F]+\s+_(\w+)/gm),
  }),
  win32: (_path, headers) => ({
    needed: found(headers, /^\s*DLL Name: (\S+)/gm),
    exported: found(headers.slice(headers.indexOf('Export Table:')), /^\s+\d+\s+0x[\da-f]+\s+(\w+)$/gm),
  }),
};

function found(text, pattern) {
  return [...text.matchAll(pattern)].map(([, name]) => name);
}

function isLater(a, b) {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number));
  return x[0] !== y[0] ? x[0] > y[0] : x[1] > y[1];
}
