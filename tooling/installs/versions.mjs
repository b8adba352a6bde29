// What the check of installs tries. The versions are exact, so that it gives the same result until someone raises them.
// Those of the other bundlers are in the examples' package.json.

/** What `engines` asks for. */
export const OLDEST_NODE = '20.0.0';

/** 20.19 and 22.12 are the first of their lines that can require ES modules. */
export const NODES = ['20.19.0', '22.12.0', '22.23.5', '24.22.3'];

/** The oldest that works with each `moduleResolution`, as docs/which-package.md says, and a recent one. */
export const TYPESCRIPTS = { node16: ['4.7.4', '5.9.3'], bundler: ['5.0.4', '5.9.3'] };

/** Package managers and runtimes other than npm, pnpm and Node. */
export const TOOLS = { '@yarnpkg/cli-dist': '4.18.1', bun: '1.4.5', deno: '2.9.6' };

/** The bundler of the page without a worker. */
export const ESBUILD = '0.28.2';
