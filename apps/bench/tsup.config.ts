import { defineConfig } from 'tsup';
import { library } from '../../tooling/tsup.js';

const options = { platform: 'node', dts: false, clean: false } as const;

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
