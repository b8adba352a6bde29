/** Work that goes on while nothing else does. */
export interface BackgroundWork {
  /** Stops the step that runs, which is done again later. */
  pause(): void;
  resume(): void;
  /** Ends the work for good. */
  stop(): void;
}

/**
 * Does one step after another until a step says that it was the last one (`false`), or throws for another reason than
 * its signal.
 */
export function inBackground(step: (signal: AbortSignal) => Promise<boolean>): BackgroundWork {
  let state: 'runs' | 'paused' | 'ended' = 'runs';
  let current: AbortController | undefined;
  const runs = () => state === 'runs';

  async function run() {
    while (runs()) {
      const controller = new AbortController();
      current = controller;
      try {
        if (!(await step(controller.signal))) state = 'ended';
      } catch {
        if (!controller.signal.aborted) state = 'ended';
      }
    }
    current = undefined;
  }
  function change(next: typeof state) {
    if (state === 'ended') return;
    state = next;
    if (next !== 'runs') current?.abort();
    else if (current === undefined) run();
  }
  run();
  return { pause: () => change('paused'), resume: () => change('runs'), stop: () => change('ended') };
}
