import { fileURLToPath } from 'node:url';

// webpack finds the worker of `@prune/web` by itself and writes it beside main.js.
export default {
  mode: 'production',
  entry: './main.js',
  output: { path: fileURLToPath(new URL('public/dist', import.meta.url)) },
};
