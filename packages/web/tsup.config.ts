import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build, type Plugin } from 'esbuild';
import { library } from '../../tooling/tsup.js';
import { kernelFiles } from '../kernels/src/wasm/kernel-files.js';

/** What `auto` can choose in a browser. */
const KERNELS = ['relaxed.wasm', 'simd.wasm'];

/** Leaves the kernels out: dist/plain.js fetches them as files. */
const withoutKernels: Plugin = {
  name: 'without-kernels',
  setup({ onLoad }) {
    onLoad({ filter: /generated[\\/]kernels-\w+\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/^(export const KERNELS_[A-Z]+ = ').*';$/m, "$1';"),
      loader: 'ts',
    }));
  },
};

export default library(['src/index.ts', 'src/worker.ts'], {
  // One file with all that it imports, and the kernels beside it, for pages without a bundler.
  async onSuccess() {
    await build({
      entryPoints: ['src/plain.ts'],
      // Whose paths lead to the sources, in which the plugin finds the kernels.
      tsconfig: '../../tsconfig.json',
      outfile: 'dist/plain.js',
      bundle: true,
      minify: true,
      // publint takes what follows // in a string for a comment, up to the end of the line, and must see the exports.
      lineLimit: 500,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      legalComments: 'inline',
      plugins: [withoutKernels],
    });
    const files = kernelFiles();
    mkdirSync('dist/wasm', { recursive: true });
    for (const name of KERNELS) writeFileSync(`dist/wasm/${name}`, files.get(name)!);
  },
});
