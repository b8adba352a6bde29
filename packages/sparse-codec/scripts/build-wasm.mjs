// Writes src/generated/loops.ts from assembly/ (tooling/wasm-builder.mjs). --check compares and writes nothing.
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { wasmBuilder } from '../../../tooling/wasm-builder.mjs';

/** Pages of 64 KiB that the host's memory has at least: src/loops/wasm-loops.ts makes it as large as the layout. */
const OPTIONS = [
  '-O3',
  '--noAssert',
  '--converge',
  ...['--runtime', 'stub', '--importMemory', '--noExportMemory', '--initialMemory', '1', '--lowMemoryLimit', '0'],
];

/** A page may compile so much at once on its main thread in every browser (Chrome forbade more until version 115). */
const MOST_BYTES = 4096;

const builder = wasmBuilder({
  root: fileURLToPath(new URL('..', import.meta.url)),
  name: 'sparse-codec',
  asc,
  sources: ['src/loops/layout.ts'],
});
const { length } = await builder.compileTo('loops', OPTIONS);
if (length > MOST_BYTES) builder.fail(`the WebAssembly has ${length} bytes, and may have ${MOST_BYTES}`);
