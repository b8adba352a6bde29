import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SKIP_CONDITIONS } from '@prune/fixtures';
import { expect, test } from 'vitest';

/** With PRUNE_FAULTS=all every call is hit; otherwise one of so many in each scenario. */
const ALL = process.env.PRUNE_FAULTS === 'all';
const STEPS = ALL
  ? { fails: 1, 'stays-full': 1, 'dies-before': 1, 'dies-after': 1 }
  : { fails: 12, 'stays-full': 24, 'dies-before': 100, 'dies-after': 100 };
const KILLS = ALL ? 20 : 1;
/** Each command once in the short form, over an old model or not. */
const SCENARIOS = ALL ? '' : '^(pack .prune|convert .prune .h5)$|^(pack .h5|convert .h5 .prune|unpack) over';

interface Report {
  readonly injected: number;
  readonly survived: number;
  readonly deaths: number;
  /** Calls that change a file, by scenario. */
  readonly calls: Readonly<Record<string, number>>;
  readonly failures: readonly unknown[];
}

// Windows has no SIGKILL.
test.skipIf(SKIP_CONDITIONS.windows())(
  'pack, convert and unpack survive a file system that fails, a full disk and SIGKILL at their n-th call',
  { timeout: 3_600_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'prune-faults-'));
    try {
      const { failures, ...counted } = await runFaults(folder);
      console.log(`faults injected ${counted.injected} (deaths ${counted.deaths}), survived ${counted.survived}`);
      expect(failures).toEqual([]);
      expect(counted.survived).toBe(counted.injected);
      // A harness that hits nothing finds nothing.
      expect(counted.injected).toBeGreaterThan(20);
      expect(counted.deaths).toBeGreaterThan(5);
      for (const [scenario, calls] of Object.entries(counted.calls))
        expect([scenario, calls > 4]).toEqual([scenario, true]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

function runFaults(folder: string): Promise<Report> {
  const path = (name: string) => fileURLToPath(new URL(`faults/${name}`, import.meta.url));
  const options = JSON.stringify({ steps: STEPS, kills: KILLS, scenarios: SCENARIOS });
  const args = ['--import', path('inject-faults.mjs'), path('run-faults.mjs'), folder, options];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    child.stderr.on('data', (text) => {
      errors += text;
    });
    child.on('error', reject).on('close', (status) => {
      if (status === 0) resolve(JSON.parse(output.trimEnd().split('\n').at(-1) ?? ''));
      else reject(new Error(`exit ${status}: ${errors}`));
    });
  });
}
