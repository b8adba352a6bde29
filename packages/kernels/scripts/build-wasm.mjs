// Writes what is generated in this package, in this order:
//
//     assembly/generated/layout.ts  from src/wasm/layout.ts (assembly-layout.mjs)
//     src/generated/*.ts            from assembly/ (tooling/wasm-builder.mjs)
//
// --check compares and writes nothing.
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { wasmBuilder } from '../../../tooling/wasm-builder.mjs';
import { assemblyLayout } from './assembly-layout.mjs';

// Shared memory in the binary; where there is none, the host flips one bit of the import
// (src/wasm/embedded-kernels.ts).
const OPTIONS = [
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

const builder = wasmBuilder({
  root: fileURLToPath(new URL('..', import.meta.url)),
  name: 'kernels',
  asc,
  // What assembly/generated/layout.ts is made from.
  sources: ['src/wasm/layout.ts', 'src/wasm/round-up.ts', 'src/wasm/struct.ts', 'scripts/assembly-layout.mjs'],
});
builder.writeText('assembly/generated/layout.ts', await assemblyLayout(), 'src/wasm/layout.ts');
for (const [build, options] of Object.entries(BUILDS)) await builder.compileTo(build, [...OPTIONS, ...options]);
