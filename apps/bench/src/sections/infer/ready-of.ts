import type { ForkedSide } from './fork-side.js';
import { PYTORCH } from './side-names.js';

/** What sides said when they were loaded. */
export interface SidesReady {
  /** What computes, by side: our kernels, and the form that a peer has chosen. */
  readonly kernels: Readonly<Record<string, string>>;
  /** Of the runtimes in Python, by package. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Gathers what the sides have chosen, and the versions of Python's. */
export function readyOf(sides: readonly ForkedSide[]): SidesReady {
  const kernels: Record<string, string> = {};
  const versions: Record<string, string> = {};
  for (const { name, ready } of sides) {
    if (ready.kernels !== undefined) kernels[name] = ready.kernels;
    if (ready.version !== undefined) versions[name === PYTORCH ? 'torch' : 'openvino'] = ready.version;
  }
  return { kernels, versions };
}
