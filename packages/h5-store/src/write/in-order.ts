/** Steps that run one after another while their inputs are made beside each other. */
export interface InOrder {
  /** Waits until `weight` more fits, then counts it as under way. At least one thing always fits. Throws what a step threw. */
  room(weight: number): Promise<void>;
  /** Runs `step` when all before it have run, then counts `weight` as done. After a step that threw, none runs. */
  add(weight: number, step: () => Promise<void>): void;
  /** When all steps have run. Throws what the first failed one threw. */
  settled(): Promise<void>;
  /** Runs no further step; settles when the one that runs has ended. */
  stop(): Promise<void>;
}

/** At most `limit` of weight is under way at a time. */
export function inOrder(limit: number): InOrder {
  let tail: Promise<void> = Promise.resolve();
  let underWay = 0;
  let failure: { readonly error: unknown } | undefined;
  let stopped = false;
  let wake: () => void = () => {};

  function check() {
    if (failure !== undefined) throw failure.error;
  }
  return {
    async room(weight) {
      check();
      while (underWay > 0 && underWay + weight > limit) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        check();
      }
      underWay += weight;
    },
    add(weight, step) {
      tail = tail.then(async () => {
        try {
          if (failure === undefined && !stopped) await step();
        } catch (error) {
          failure = { error };
        }
        underWay -= weight;
        wake();
      });
    },
    async settled() {
      await tail;
      check();
    },
    async stop() {
      stopped = true;
      await tail;
    },
  };
}
