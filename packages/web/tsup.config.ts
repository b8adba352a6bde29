import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { library } from '../../tooling/tsup.js';
import { kernelFiles } from '../kernels/src/wasm/kernel-files.js';

/** What `auto` can choose in a browser. */
const KERNELS = ['relaxed.wasm', 'simd.wasm'];

/** Leaves the kernels out: dist/plain-worker.js fetches them as files. */
const withoutKernels: Plugin = {
  name: 'without-kernels',
  setup({ onLoad }) {
    onLoad({ filter: /generated[\\/]kernels-\w+\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replace(/^(export const KERNELS_[A-Z]+ = ').*';$/m, "$1';"),
      loader: 'ts',
    }));
  },
};

/** Files with functions that only a writer of models calls: those whose names begin with `gzip` or `encode`. */
const ENCODERS =
  /(msgpack-store[\\/]src[\\/]deflate[\\/]gzip|sparse-codec[\\/]src[\\/](rows[\\/]encode-rows|encode-csr))\.ts$/;

/** Leaves out what codecs write with, because a page only reads. */
const withoutEncoders: Plugin = {
  name: 'without-encoders',
  setup({ onLoad }) {
    onLoad({ filter: ENCODERS }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(
        /^export (?:async )?function\*? ((?:gzip|encode)\w*)[\s\S]*?^}$/gm,
        'export function $1() { throw new Error("dist/plain-worker.js only reads models"); }',
      ),
      loader: 'ts',
    }));
  },
};

export default library(['src/index.ts', 'src/worker.ts'], {
  // For pages without a bundler: the page's part, the worker's part with all that it imports, and the kernels.
  async onSuccess() {
    const plain: BuildOptions = {
      // Whose paths lead to the sources, in which the plugin finds the kernels.
      tsconfig: '../../tsconfig.json',
      outdir: 'dist',
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      legalComments: 'inline',
    };
    // publint takes what follows // in a string for a comment, up to the end of the line, and must see the exports.
    await build({ ...plain, entryPoints: ['src/plain.ts'], external: ['./plain-worker.js'], lineLimit: 500 });
    await build({ ...plain, entryPoints: ['src/plain-worker.ts'], plugins: [withoutKernels, withoutEncoders] });
    const files = kernelFiles();
    mkdirSync('dist/wasm', { recursive: true });
    for (const name of KERNELS) writeFileSync(`dist/wasm/${name}`, files.get(name)!);
  },
});
