import { BARRIER_COUNT, BARRIER_SLEEPERS, BARRIER_TURN, JOB, planCounters, planMainWaits, planSpins, planThreads } from './generated/layout';

/** This thread; 0 is the caller's. */
export let thread: i32 = 0;
export function setThread(index: i32): void { thread = index; }

/** The next item of a phase that no thread has taken yet: which thread computes what never shows in a result. */
export function nextItem(phase: i32): i32 {
  const counter = planCounters() + (phase << 2);
  if (planThreads() > 1) return atomic.add<i32>(counter, 1);
  const item = load<i32>(counter);
  store<i32>(counter, item + 1);
  return item;
}

/** Waits until every thread is here: first spinning (a wake-up takes 8 to 27 us), then asleep where the thread may sleep. */
export function barrier(): void {
  const threads = planThreads();
  if (threads == 1) return;
  const turn = atomic.load<i32>(BARRIER_TURN);
  if (atomic.add<i32>(BARRIER_COUNT, 1) == threads - 1) {
    atomic.store<i32>(BARRIER_COUNT, 0);
    atomic.add<i32>(BARRIER_TURN, 1);
    if (atomic.load<i32>(BARRIER_SLEEPERS) > 0) atomic.notify(BARRIER_TURN, threads - 1);
    return;
  }
  const sleeps = thread != 0 || planMainWaits();
  for (let spins = planSpins(); atomic.load<i32>(BARRIER_TURN) == turn; ) {
    if (!sleeps || --spins > 0) continue;
    atomic.add<i32>(BARRIER_SLEEPERS, 1);
    atomic.wait<i32>(BARRIER_TURN, turn, -1);
    atomic.sub<i32>(BARRIER_SLEEPERS, 1);
  }
}

/** Sleeps until there is another job than `seen`; gives its number, LAST_JOB for the end. */
export function nextJob(seen: i32): i32 {
  while (atomic.load<i32>(JOB) == seen) atomic.wait<i32>(JOB, seen, -1);
  return atomic.load<i32>(JOB);
}
