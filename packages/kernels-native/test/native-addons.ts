import { spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SKIP_CONDITIONS } from '@prune/fixtures';
import type { Engine } from '@prune/kernels';
import { type Addon, loadAddon, NATIVE_KERNELS } from '../src/addon.js';
import { nativeEngineOn } from '../src/native-engine.js';

/** Whether there is no C compiler, or no native kernels for this machine. */
export const noNative = SKIP_CONDITIONS['no-native-kernels']();

/** Native kernels that run here: of the processor, or as C code in place of the instructions that it lacks. */
export interface TestedKernels {
  readonly name: string;
  readonly addon: Addon;
  readonly kernels: number;
}

/** Every row of the table of kernels that can be tested here. The addons are built where their sources have changed. */
export function testedKernels(): readonly TestedKernels[] {
  if (noNative) return [];
  inTurn(() => {
    const script = fileURLToPath(new URL('../scripts/build-native.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script, '--emulated'], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  });
  const addon = loadAddon();
  const emulated = loadAddon('prune-emulated');
  const rows = (from: Addon, bits: number, suffix: string) =>
    NATIVE_KERNELS.flatMap((name, kernels) =>
      bits & (1 << kernels) ? [{ name: `${name}${suffix}`, addon: from, kernels }] : [],
    );
  return [...rows(addon, addon.available(), ''), ...rows(emulated, emulated.emulated(), ', emulated')];
}

/** An engine on these kernels. */
export function engineOf({ addon, kernels }: TestedKernels, threads = 1): Engine {
  return nativeEngineOn(addon, kernels, threads);
}

/** Of the test files that run at once, one builds. A lock that a killed run has left is taken after some minutes. */
function inTurn(build: () => void): void {
  const lock = join(tmpdir(), 'prune-native-build.lock');
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
      if (age > 180_000) rmdirSync(lock);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  try {
    build();
  } finally {
    rmdirSync(lock);
  }
}
