import { build } from 'esbuild';
import { library } from '../../tooling/tsup.js';

export default library(['src/index.ts', 'src/worker.ts'], {
  // One file with all that it imports, for pages without a bundler.
  async onSuccess() {
    await build({
      entryPoints: ['src/plain.ts'],
      outfile: 'dist/plain.js',
      bundle: true,
      minify: true,
      // publint takes what follows // in a string for a comment, up to the end of the line, and must see the exports.
      lineLimit: 500,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      legalComments: 'inline',
    });
  },
});
