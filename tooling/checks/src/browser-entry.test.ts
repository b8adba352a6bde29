import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Packages that are for Node alone. */
const NODE_ONLY = ['kernels-native'];

test.each(readdirSync(`${root}packages`).filter((name) => !NODE_ONLY.includes(name)))(
  'the root entry of @prune/%s bundles for a browser',
  async (name) => {
    const result = await build({
      entryPoints: [`${root}packages/${name}/src/index.ts`],
      tsconfig: `${root}tsconfig.json`,
      bundle: true,
      write: false,
      metafile: true,
      format: 'esm',
      platform: 'browser',
      logLevel: 'silent',
      absWorkingDir: root,
    });
    const imports = Object.values(result.metafile.inputs).flatMap((input) => input.imports);
    expect(imports.filter(({ external, path }) => external || path.startsWith('node:'))).toEqual([]);
    // `Buffer` and `process` are Node's globals, which esbuild lets through. Libraries may ask whether they are there;
    // our own code has no need to.
    const own = Object.keys(result.metafile.inputs).filter((path) => path.startsWith('packages/'));
    expect(own).not.toEqual([]);
    for (const path of own) {
      expect(readFileSync(`${root}${path}`, 'utf8'), path).not.toMatch(/\b(Buffer|process)\b\s*\./);
    }
  },
);
