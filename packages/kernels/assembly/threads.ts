import {
  ABANDONED_BY, BARRIER_COUNT, BARRIER_SLEEPERS, BARRIER_TURN, ITEMS_TAKEN, itemsEnd, itemsFirst, itemsTaken, JOB, LAST_JOB, planMainWaits, planSpins,
  planThreads,
} from './generated/layout';
import { itemsOf, step } from './memory';

/**
 * The host's look at the other threads while the caller's waits for them: it throws when the memory is abandoned or one
 * of them died. A worker calls it only to fail, and has one that does nothing.
 */
@external("env", "watch")
declare function watch(): void;

/**
 * How long the caller's thread sleeps between two looks, 0.1 s in nanoseconds; where it may not sleep, how often it
 * spins: about as long.
 */
const LOOK_NANOSECONDS: i64 = 100_000_000;
const LOOK_SPINS: i32 = 1 << 25;

/** This thread; 0 is the caller's. */
export let thread: i32 = 0;
export function setThread(index: i32): void { thread = index; }

/** What {@link nextItem} gives when there are no more. */
export const NO_ITEM: i32 = -1;

/**
 * The next item of a phase that the job has and no thread has taken yet, or NO_ITEM: which thread computes what never
 * shows in a result.
 */
export function nextItem(phase: i32): i32 {
  step();
  const items = itemsOf(phase);
  let taken: i32;
  if (planThreads() > 1) taken = atomic.add<i32>(items + ITEMS_TAKEN, 1);
  else {
    taken = itemsTaken(items);
    store<i32>(items, taken + 1, ITEMS_TAKEN);
  }
  const item = itemsFirst(items) + taken;
  return item < itemsEnd(items) ? item : NO_ITEM;
}

/**
 * Waits until every thread is here: first spinning (a wake-up takes 8 to 27 us), then asleep where the thread may
 * sleep. Does not return when the memory is abandoned meanwhile. A worker sleeps without a bound: whoever finds that a
 * thread died abandons the memory, which wakes it, and it never outlives its host.
 */
export function barrier(): void {
  const threads = planThreads();
  if (threads == 1) return;
  // Read before the check below: abandon() ends the turn after it has set the word, so either the check or the wait
  // sees it.
  const turn = atomic.load<i32>(BARRIER_TURN);
  if (atomic.load<i32>(ABANDONED_BY) != 0) fail();
  if (atomic.add<i32>(BARRIER_COUNT, 1) == threads - 1) {
    atomic.store<i32>(BARRIER_COUNT, 0);
    atomic.add<i32>(BARRIER_TURN, 1);
    if (atomic.load<i32>(BARRIER_SLEEPERS) > 0) atomic.notify(BARRIER_TURN, threads - 1);
    return;
  }
  for (let spins = planSpins(); atomic.load<i32>(BARRIER_TURN) == turn; ) {
    if (--spins > 0) continue;
    if (thread == 0 && !planMainWaits()) {
      watch();
      spins = LOOK_SPINS;
      continue;
    }
    atomic.add<i32>(BARRIER_SLEEPERS, 1);
    const timedOut = atomic.wait<i32>(BARRIER_TURN, turn, thread == 0 ? LOOK_NANOSECONDS : -1) == 2;
    atomic.sub<i32>(BARRIER_SLEEPERS, 1);
    if (timedOut) watch();
  }
  if (atomic.load<i32>(ABANDONED_BY) != 0) fail();
}

/** Leaves the job: with the host's error in the caller's thread, with a trap in a worker. */
function fail(): void {
  watch();
  unreachable();
}

/**
 * Ends every wait in this memory, whose threads fail then, because a thread died. Gives whether `index` is the first to
 * do so.
 */
export function abandon(index: i32): bool {
  const first = atomic.cmpxchg<i32>(ABANDONED_BY, 0, index + 1) == 0;
  atomic.add<i32>(BARRIER_TURN, 1);
  atomic.notify(BARRIER_TURN, -1);
  atomic.store<i32>(JOB, LAST_JOB);
  atomic.notify(JOB, -1);
  return first;
}

/** Sleeps until there is another job than `seen`; gives its number, LAST_JOB for the end. */
export function nextJob(seen: i32): i32 {
  while (atomic.load<i32>(JOB) == seen) atomic.wait<i32>(JOB, seen, -1);
  return atomic.load<i32>(JOB);
}
