interface HostGlobals {
  readonly setImmediate?: (callback: () => void) => unknown;
}

/**
 * Returns to the event loop once, so that timers, I/O, input and a page's frames have their turn, and resolves after
 * that. A timer would do the same, 1 ms later in Node and 4 ms later in a page. `scheduler.yield` of browsers would
 * not: what continues after it goes before other tasks.
 */
export function yieldToEvents(): Promise<void> {
  const { setImmediate: immediate } = globalThis as HostGlobals;
  // Only two immediates on end pass all of Node's phases: one that I/O sets comes before timers.
  if (immediate !== undefined) return new Promise((resolve) => immediate(() => immediate(resolve)));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
