// Loaded before a Node program that is measured (`node --import`): at its exit, writes what it used to the file that PRUNE_BENCH_USAGE names.
import { readFileSync, writeFileSync } from 'node:fs';

const report = process.env.PRUNE_BENCH_USAGE;
if (report !== undefined) {
  // Its own children, if any, are not the program that is measured.
  delete process.env.PRUNE_BENCH_USAGE;
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    writeFileSync(report, JSON.stringify({ peakBytes: peakBytes(), cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }));
  });
}

/**
 * The most memory that was resident. Not `resourceUsage().maxRSS` on Linux: there a child starts with its PARENT's peak (a process of 1 GB starts a Node of
 * 40 MB, and that one reports 1 GB); VmHWM starts anew with each program.
 */
function peakBytes() {
  try {
    return 1024 * Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}
