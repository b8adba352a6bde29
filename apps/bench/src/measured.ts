// Loaded before a Node program that is measured (`node --import`): at its exit, writes what it used to the file that PRUNE_BENCH_USAGE names.
import { writeFileSync } from 'node:fs';

const report = process.env.PRUNE_BENCH_USAGE;
if (report !== undefined) {
  // Its own children, if any, are not the program that is measured.
  delete process.env.PRUNE_BENCH_USAGE;
  process.on('exit', () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    writeFileSync(
      report,
      JSON.stringify({ peakBytes: 1024 * maxRSS, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 }),
    );
  });
}
