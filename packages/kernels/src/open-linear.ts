import { closedError } from './closed-error.js';
import type { OpenParts } from './open-parts.js';
import type { LoadedLinear } from './spec/loaded-linear.js';

/** What an engine computes a Linear with, until it is closed. */
export interface LinearWork {
  readonly rows: number;
  /** As `LoadedLinear.memoryBytes`. */
  readonly memoryBytes: number | undefined;
  apply(x: Float32Array): Float32Array;
  /** Lets go of what garbage collection would free later. Called once. */
  free?(): void;
}

/** A Linear that is one of an engine's parts. `tensor`: what errors call it. It lets go of its work when it is closed. */
export function openLinear(work: LinearWork, tensor: string, parts: OpenParts): LoadedLinear {
  const { rows } = work;
  const hasMemory = work.memoryBytes !== undefined;
  let open: LinearWork | undefined = work;
  const close = () => {
    open?.free?.();
    open = undefined;
    parts.delete(close);
  };
  parts.add(close);
  return {
    rows,
    get memoryBytes() {
      return hasMemory ? (open?.memoryBytes ?? 0) : undefined;
    },
    apply(x) {
      if (open === undefined) throw closedError('Linear', tensor);
      return open.apply(x);
    },
    close,
  };
}
