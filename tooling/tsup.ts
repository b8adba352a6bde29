import type { Options } from 'tsup';

/** The one bundler preset: ESM and types for every entry, dependencies left outside, nothing minified. */
export function library(entry: string[], options: Options = {}): Options {
  return {
    entry,
    format: ['esm'],
    target: 'es2022',
    platform: 'neutral',
    dts: true,
    clean: true,
    treeshake: true,
    splitting: true,
    ...options,
  };
}
