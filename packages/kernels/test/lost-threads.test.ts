import { fileURLToPath } from 'node:url';
import { type ChildOutcome, runInChild } from '@prune/fixtures';
import { beforeAll, describe, expect, test } from 'vitest';

/** What each scenario of lost-threads.ts gives. */
const DIED = 'io: thread 1 of 2 died';
const NO_STEP = 'io: no thread has made a step in 3 looks 0.1 s apart';
const inJobs = (error: string) => [
  ...['right', 'right', error, 'right'],
  ...['right', error, 'right'],
  ...[error, 'right'],
  ...['right', 'right'],
];
const WANTED: Readonly<Record<string, unknown>> = {
  'in the middle: an error': inJobs(DIED),
  'in the middle: process.exit': inJobs(DIED),
  'in the middle: out of memory': inJobs(DIED),
  'in the middle: a trap in WebAssembly': inJobs(DIED),
  'in the middle: no step': inJobs(NO_STEP),
  'in the middle of a layer': ['right', DIED, 'right', 'right'],
  'in the middle, among several: the others fail or end': [
    'right',
    'io: thread 2 of 4 died',
    'right',
    'right',
    'right',
  ],
  // Nothing else than right results and `io`.
  'terminated from outside, before a pass, in it, or after it': [],
  'dead before the first pass': ['right', 'right'],
  'dead before the first pass, which cannot know yet': [true, true],
  'dead as soon as it is ready, whenever one is started': [],
  'one that does not start': [
    'io: thread 2 of 3 did not start, not today',
    'io: thread 2 of 3 did not start, the worker threw nothing',
    'io: thread 2 of 3 did not start, the worker ended with status 4',
    'io: thread 2 of 3 did not start, the worker ended with status 0',
  ],
  'none to replace a dead one': ['right', 'right', 'right', true],
  'late, and slow, but alive: waited for': ['right', 'right', 'right'],
  'a host that says nothing of its workers': [NO_STEP, 'right'],
};

describe('a thread that is lost: no pass waits for it for ever, and the next one is right', () => {
  let outcome: ChildOutcome;
  beforeAll(async () => {
    const scenarios = fileURLToPath(new URL('./lost-threads.ts', import.meta.url));
    const source = `export { lostThreads as default } from ${JSON.stringify(scenarios)};`;
    outcome = await runInChild(source, { timeoutSeconds: 120 });
  });
  test('all scenarios end, within 120 s', () => {
    expect(outcome).toMatchObject({ value: expect.anything() });
    expect(Object.keys(outcome.value as object)).toEqual(Object.keys(WANTED));
  });
  test.each(Object.entries(WANTED))('%s', (name, wanted) => {
    expect((outcome.value as Record<string, unknown>)?.[name]).toEqual(wanted);
  });
});
