// The platforms that have a package of their own. Their one home is npm/: each folder is a platform, and os, cpu and
// libc of its package.json say where package managers install it. zig's target follows from these.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NPM = fileURLToPath(new URL('../npm', import.meta.url));

/** Node 20 needs glibc 2.28. */
export const GLIBC = '2.28';

const ZIG_CPU = { x64: 'x86_64', arm64: 'aarch64' };
/** Node 20 needs macOS 11 on arm64. */
const ZIG_OS = {
  'linux glibc': `linux-gnu.${GLIBC}`,
  'linux musl': 'linux-musl',
  darwin: 'macos.11.0',
  win32: 'windows-gnu',
};

/** Each platform: its name, the folder of its package, `os`, `cpu`, `libc` (of Linux), and zig's target. */
export function platforms() {
  return readdirSync(NPM).map((name) => {
    const folder = join(NPM, name);
    const { publishConfig } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const {
      os: [os],
      cpu: [cpu],
      libc: [libc] = [],
    } = publishConfig;
    const target = `${ZIG_CPU[cpu]}-${ZIG_OS[[os, libc].filter(Boolean).join(' ')]}`;
    return { name, folder, os, cpu, libc, target };
  });
}
