import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Tests see the sources of every package, never a build that may be stale; the packed builds have their own check.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@prune\/fixtures$/, replacement: root('tooling/fixtures/src/index.ts') },
      { find: /^@prune\/([^/]+)\/(.+)$/, replacement: `${root('packages')}/$1/src/$2.ts` },
      { find: /^@prune\/([^/]+)$/, replacement: `${root('packages')}/$1/src/index.ts` },
    ],
  },
  test: {
    // Below the folder of --dir, which is a package where `npm test` runs in it.
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '**/.*/**'],
    expect: { requireAssertions: true },
    reporters: ['default', root('tooling/checks/src/skip-report.ts')],
    // Generous: no test is about time, and machines are shared.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
});
