import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { goldenPath, modelPath, SKIP_CONDITIONS } from '@prune/fixtures';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** The command as it is installed: these tests need the build that `npm test` makes first. */
const PRUNE = fileURLToPath(new URL('../bin/prune.js', import.meta.url));

/** As in a CI job, where libraries like to colour their pipes. */
const env: NodeJS.ProcessEnv = { ...process.env, CI: 'true', FORCE_COLOR: '', NO_COLOR: '' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prune-process-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.skipIf(SKIP_CONDITIONS.windows())('a reader that has read enough is no error', () => {
  // It is gone before anything is written.
  const command = 'set -o pipefail; (sleep 0.2; exec "$0" "$@") | true';
  for (const args of [['--help'], ['compare', goldenPath('tiny')]]) {
    const { status, stderr } = spawnSync('bash', ['-c', command, process.execPath, PRUNE, ...args], {
      encoding: 'utf8',
      env,
    });
    expect(stderr).not.toContain('EPIPE');
    expect(status).toBe(0);
  }
});

test.skipIf(SKIP_CONDITIONS.windows())('a full disk leaves the old file and nothing else', () => {
  for (const name of ['x.prune', 'x.h5']) {
    writeFileSync(join(folder, name), 'old');
    const options = name === 'x.prune' ? ['--codec', 'raw'] : ['--level', '0'];
    // A file of 100 KiB at most: what a full disk is to a writer.
    const command = `ulimit -f 100; exec "$0" "$@"`;
    const args = [PRUNE, 'pack', goldenPath('tiny'), '-o', join(folder, name), '--force', ...options];
    const { status, stderr } = spawnSync('bash', ['-c', command, process.execPath, ...args], { encoding: 'utf8', env });
    expect(stderr).toMatch(/^prune: .*EFBIG[^\n]*\n$/);
    expect(status).toBe(2);
    expect(readFileSync(join(folder, name), 'utf8')).toBe('old');
  }
  expect(readdirSync(folder).sort()).toEqual(['x.h5', 'x.prune']);
});

test('an interrupt leaves the old file and nothing else, and exits 130', async () => {
  const path = join(folder, 'x.prune');
  writeFileSync(path, 'old');
  const child = spawn(process.execPath, [PRUNE, 'pack', modelPath('mini-qa'), '-o', path, '--force'], { env });
  // It is at work once its temporary file is there.
  while (readdirSync(folder).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill('SIGINT');
  const [status, stderr] = await Promise.all([
    new Promise((resolve) => child.on('exit', resolve)),
    new Promise<string>((resolve) => {
      let text = '';
      child.stderr.on('data', (chunk) => {
        text += chunk;
      });
      child.stderr.on('close', () => resolve(text));
    }),
  ]);
  expect(stderr).toBe('prune: ended by Ctrl-C, no file was written\n');
  expect(status).toBe(130);
  expect(readdirSync(folder)).toEqual(['x.prune']);
  expect(readFileSync(path, 'utf8')).toBe('old');
});

test('colours and bars are for terminals: none of either in a pipe', () => {
  const run = (...args: string[]) => spawnSync(process.execPath, [PRUNE, ...args], { encoding: 'utf8', env });
  const { stdout, stderr, status } = run('inspect', goldenPath('tiny/squad_sparse.h5'));
  expect(status).toBe(0);
  expect(stdout + stderr).not.toContain('\u001b');
  env.FORCE_COLOR = '1';
  expect(run('inspect', join(folder, 'none.h5')).stderr).toContain('\u001b[31mprune:');
});
