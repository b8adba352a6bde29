import { escapeControls } from '@prune/core';
import cliProgress from 'cli-progress';

/** Told about work as it is done. */
export interface Progress {
  /** How many steps there will be, once that is known. */
  total(steps: number): void;
  /** One more step is done; `name` is what was worked on. */
  step(name: string): void;
  stop(): void;
}

/** Work shorter than this shows no bar, in milliseconds. */
const QUIET_MS = 1000;

/** A bar on stderr: on a terminal only, and only once the work has taken a second. */
export function progressBar(title: string, quiet: boolean | undefined): Progress {
  if (quiet || !process.stderr.isTTY) return { total() {}, step() {}, stop() {} };
  const start = performance.now();
  let done = 0;
  let total = 1;
  let bar: cliProgress.SingleBar | undefined;
  const stop = () => {
    process.off('exit', stop);
    bar?.stop();
  };
  return {
    total(steps) {
      total = steps;
    },
    step(step) {
      done++;
      const name = escapeControls(step);
      if (bar === undefined && performance.now() - start > QUIET_MS) {
        bar = new cliProgress.SingleBar(
          {
            format: `${title} {bar} {percentage} % | {value}/{total} | {name}`,
            barsize: 24,
            clearOnComplete: true,
            hideCursor: true,
            stream: process.stderr,
          },
          cliProgress.Presets.shades_classic,
        );
        // A second Ctrl-C ends the process wherever it is; the terminal then still needs its cursor.
        process.once('exit', stop);
        bar.start(total, done, { name });
      }
      bar?.update(Math.min(done, total), { name });
    },
    stop,
  };
}
