import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPnpm } from './pnpm.mjs';

/**
 * Runs pnpm and says one line about it. If it fails, shows what `explain` makes of its output, else the whole output,
 * and exits with its status.
 */
export function quietStep(what, args, explain = () => undefined) {
  process.stderr.write(`setup: ${what} ... `);
  const start = performance.now();
  // Into a file, which keeps both streams in their order, whatever their size.
  const folder = mkdtempSync(join(tmpdir(), 'prune-setup-'));
  const log = join(folder, 'log');
  const file = openSync(log, 'w');
  const status = runPnpm(args, { stdout: file, stderr: file });
  closeSync(file);
  process.stderr.write(`${status === 0 ? 'done' : 'FAILED'} in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  const output = readFileSync(log, 'utf8');
  rmSync(folder, { recursive: true });
  if (status === 0) return;
  process.stderr.write(explain(output) ?? output);
  process.exit(status);
}
