import { defineConfig, type Options } from 'tsup';
import { library } from '../../tooling/tsup.js';

const options: Options = {
  platform: 'node',
  dts: false,
  clean: false,
  // The fixtures have no build: what is used of them is put into ours. Nothing that is used of them needs esbuild.
  noExternal: ['@prune/fixtures'],
  external: ['esbuild'],
};

export default defineConfig([
  library(
    ['main', 'child', 'peer', 'codecs', 'decode-worker'].map((name) => `src/entries/${name}.ts`),
    options,
  ),
  // The script of the report page, with everything in it: it is put into the HTML.
  {
    entry: { page: 'src/entries/page.ts' },
    format: 'iife',
    outExtension: () => ({ js: '.js' }),
    target: 'es2022',
    platform: 'browser',
    minify: true,
    noExternal: [/./],
  },
]);
