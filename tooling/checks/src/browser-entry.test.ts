import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));

test.each(readdirSync(`${root}packages`))('the root entry of @prune/%s bundles for a browser', async (name) => {
  const result = await build({
    entryPoints: [`${root}packages/${name}/src/index.ts`],
    tsconfig: `${root}tsconfig.json`,
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    logLevel: 'silent',
  });
  const imports = Object.values(result.metafile.inputs).flatMap((input) => input.imports);
  expect(imports.filter(({ external, path }) => external || path.startsWith('node:'))).toEqual([]);
  // `Buffer` and `process` are Node's globals: esbuild would not notice them.
  expect(result.outputFiles[0].text).not.toMatch(
    /\bBuffer\.(from|alloc|concat)\(|\bprocess\.(env|argv|versions|platform)\b/,
  );
});
