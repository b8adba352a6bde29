import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Platform {
  readonly name: string;
  readonly folder: string;
  readonly os: string;
  readonly cpu: string;
  readonly libc?: string;
  readonly target: string;
}

const script: string = new URL('../scripts/platforms.mjs', import.meta.url).href;
const { platforms } = (await import(script)) as { platforms(): readonly Platform[] };

const FOLDER = fileURLToPath(new URL('..', import.meta.url));
const manifestOf = (folder: string) => JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));

test('platforms and what zig calls them', () => {
  expect(Object.fromEntries(platforms().map(({ name, target }) => [name, target]))).toMatchInlineSnapshot(`
    {
      "darwin-arm64": "aarch64-macos.11.0",
      "darwin-x64": "x86_64-macos.11.0",
      "linux-arm64": "aarch64-linux-gnu.2.28",
      "linux-arm64-musl": "aarch64-linux-musl",
      "linux-x64": "x86_64-linux-gnu.2.28",
      "linux-x64-musl": "x86_64-linux-musl",
      "win32-arm64": "aarch64-windows-gnu",
      "win32-x64": "x86_64-windows-gnu",
    }
  `);
});

test('each package is an optional dependency, of exactly the same version', () => {
  const names = platforms().map(({ name }) => `@prune/kernels-native-${name}`);
  expect(manifestOf(FOLDER).optionalDependencies).toEqual(
    Object.fromEntries(names.map((name) => [name, 'workspace:*'])),
  );
});

test.each(platforms())(
  '$name: the package is named as addon.ts looks for it, and holds the addon alone',
  (platform) => {
    const { name, folder, os, cpu, libc } = platform;
    const manifest = manifestOf(folder);
    expect(name).toBe([os, cpu, libc === 'musl' ? 'musl' : []].flat().join('-'));
    expect(manifest).toMatchObject({
      name: `@prune/kernels-native-${name}`,
      version: manifestOf(FOLDER).version,
      main: 'prune.node',
      files: ['CHANGELOG.md', 'prune.node'],
      scripts: { prepublishOnly: `node ../../scripts/build-platforms.mjs --check ${name}` },
    });
    // Without libc, npm would install the packages of both libraries.
    expect(libc !== undefined).toBe(os === 'linux');
    // No script may run where the package is installed.
    expect(Object.keys(manifest.scripts)).toEqual(['prepublishOnly']);
  },
);
