import type { Phase, PhaseKind } from './pass-phases.js';
import type { PhaseTimes } from './phase-times.js';

/** The items [first, end) of a phase, which may be none. */
export interface JobPart {
  /** The place of the phase in the pass. */
  readonly phase: number;
  readonly kind: PhaseKind;
  readonly first: number;
  readonly end: number;
  /** Of these items; see `Phase.workOf`. */
  readonly work: number;
}

/** Where a pass goes on: with an item of a phase. */
export interface PassPosition {
  readonly phase: number;
  readonly item: number;
}

/** What is computed before the next return to the event loop: parts of one phase after the other. */
export interface Job {
  readonly parts: readonly JobPart[];
  /** What it is expected to take. */
  readonly ms: number;
  /** Where the pass goes on. */
  readonly next: PassPosition;
}

/**
 * The next job of a pass: as many phases as fit into `budget` ms. It ends after a phase that stores, so that the caller
 * can take what was stored. A phase that takes longer than `budget` alone is divided; it begins a job of its own.
 */
export function nextJob(
  phases: readonly Phase[],
  at: PassPosition,
  times: Pick<PhaseTimes, 'expected'>,
  { threads, budget }: { readonly threads: number; readonly budget: number },
): Job {
  const parts: JobPart[] = [];
  let ms = 0;
  for (let phase = at.phase; phase < phases.length; phase++) {
    const { kind, items } = phases[phase];
    const first = phase === at.phase ? at.item : 0;
    const whole = partOf(phases, phase, first, items);
    const wholeMs = times.expected(whole);
    if (ms + wholeMs <= budget) {
      parts.push(whole);
      ms += wholeMs;
      if (kind === 'store' && items > 0) return { parts, ms, next: { phase: phase + 1, item: 0 } };
    } else if (ms > 0) {
      return { parts, ms, next: { phase, item: 0 } };
    } else {
      const end = divided(first, items, threads, (to) => times.expected(partOf(phases, phase, first, to)) <= budget);
      const part = partOf(phases, phase, first, end);
      parts.push(part);
      return {
        parts,
        ms: times.expected(part),
        next: end === items ? { phase: phase + 1, item: 0 } : { phase, item: end },
      };
    }
  }
  return { parts, ms, next: { phase: phases.length, item: 0 } };
}

function partOf(phases: readonly Phase[], phase: number, first: number, end: number): JobPart {
  const { kind, workOf } = phases[phase];
  return { phase, kind, first, end, work: end === first ? 0 : workOf(end) - workOf(first) };
}

/** The largest end that fits and gives every thread the same number of items, which is one at least. */
function divided(first: number, items: number, threads: number, fits: (end: number) => boolean): number {
  let [turns, tooMany] = [1, Math.ceil((items - first) / threads)];
  while (turns < tooMany - 1) {
    const middle = Math.floor((turns + tooMany) / 2);
    if (fits(first + middle * threads)) turns = middle;
    else tooMany = middle;
  }
  return Math.min(items, first + turns * threads);
}
