import { escapeControls } from '@prune/core';
import cliProgress from 'cli-progress';
import { SIGNAL_STATUS } from './run-command.js';

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

/**
 * Events that remove the bar: a signal, so that what is said about it is not overwritten, and the end of the process
 * wherever it is, so that the terminal has its cursor back.
 */
const ENDS = [...(Object.keys(SIGNAL_STATUS) as NodeJS.Signals[]), 'exit'] as const;

/** A bar on stderr: on a terminal only, and only once the work has taken a second. */
export function progressBar(title: string, quiet: boolean | undefined): Progress {
  if (quiet || !process.stderr.isTTY) return { total() {}, step() {}, stop() {} };
  const start = performance.now();
  let done = 0;
  let total = 1;
  let bar: cliProgress.SingleBar | undefined;
  const stop = () => {
    for (const event of ENDS) process.off(event, stop);
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
        for (const event of ENDS) process.once(event, stop);
        bar.start(total, done, { name });
      }
      bar?.update(Math.min(done, total), { name });
    },
    stop,
  };
}
