import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-skips-'));
  mkdirSync(join(folder, 'tooling/sneaky/src'), { recursive: true });
  const tests = "test('runs', () => expect(1).toBe(1));\ntest.skip('sneaks out', () => expect(1).toBe(2));\n";
  writeFileSync(join(folder, 'tooling/sneaky/src/sneaky.test.ts'), tests);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('a skip that is not listed fails a run in CI', () => {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  // Globals, because the test cannot import Vitest from there.
  const args = [vitest, 'run', '--config', join(root, 'vitest.config.ts'), '--root', folder, '--globals'];
  const env = { ...process.env, CI: 'true' };
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  expect(stderr).toContain('tooling/sneaky/src/sneaky.test.ts: "sneaks out" is skipped and is not listed');
  expect(status).toBe(1);
});
