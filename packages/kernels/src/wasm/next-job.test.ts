import { expect, test } from 'vitest';
import { type Job, nextJob, type PassPosition } from './next-job.js';
import type { Phase, PhaseKind } from './pass-phases.js';

/** Every item takes 1 ms. */
const phase = (kind: PhaseKind, items: number): Phase => ({ kind, items, workOf: (count) => count });
const times = { expected: ({ work }: { work: number }) => work };
const START = { phase: 0, item: 0 };

/** The jobs of a pass, each as `phase:first-end`, and what each was expected to take. */
function jobsOf(phases: readonly Phase[], budget: number, threads = 1): string[] {
  const jobs: string[] = [];
  for (let at: PassPosition = START; at.phase < phases.length; ) {
    const job: Job = nextJob(phases, at, times, { threads, budget });
    jobs.push(`${job.parts.map(({ phase, first, end }) => `${phase}:${first}-${end}`).join(' ')} = ${job.ms}`);
    at = job.next;
  }
  return jobs;
}

test('what fits is one job', () => {
  expect(jobsOf([phase('load', 2), phase('attention', 3), phase('output', 5)], 10)).toEqual(['0:0-2 1:0-3 2:0-5 = 10']);
});

test('phases that fit are not divided', () => {
  expect(jobsOf([phase('load', 2), phase('attention', 3), phase('output', 5)], 9)).toEqual([
    '0:0-2 1:0-3 = 5',
    '2:0-5 = 5',
  ]);
});

test('a phase that does not fit is divided, and its end is followed by others', () => {
  expect(jobsOf([phase('load', 2), phase('attention', 7), phase('output', 2)], 3)).toEqual([
    '0:0-2 = 2',
    '1:0-3 = 3',
    '1:3-6 = 3',
    '1:6-7 2:0-2 = 3',
  ]);
});

test('every thread gets the same number of items, except at the end', () => {
  expect(jobsOf([phase('attention', 11)], 5, 3)).toEqual(['0:0-3 = 3', '0:3-6 = 3', '0:6-11 = 5']);
  expect(jobsOf([phase('attention', 10)], 3, 3)).toEqual(['0:0-3 = 3', '0:3-6 = 3', '0:6-9 = 3', '0:9-10 = 1']);
});

test('without any time, a job is an item for each thread', () => {
  expect(jobsOf([phase('load', 5), phase('output', 1)], 0, 2)).toEqual([
    '0:0-2 = 2',
    '0:2-4 = 2',
    '0:4-5 = 1',
    '1:0-1 = 1',
  ]);
});

test('a phase without items is part of a job, alone too', () => {
  expect(jobsOf([phase('attention', 0), phase('output', 2), phase('store', 0)], 0)).toEqual([
    '0:0-0 1:0-1 = 1',
    '1:1-2 = 1',
    '2:0-0 = 0',
  ]);
});

test('a job ends after what is stored', () => {
  expect(jobsOf([phase('load', 1), phase('store', 1), phase('output', 1), phase('store', 0)], 10)).toEqual([
    '0:0-1 1:0-1 = 2',
    '2:0-1 3:0-0 = 1',
  ]);
});

test('items of different work', () => {
  const work = [0, 6, 12, 13, 14, 15, 16];
  const phases: Phase[] = [{ kind: 'attention', items: 6, workOf: (count) => work[count] }];
  expect(jobsOf(phases, 9)).toEqual(['0:0-1 = 6', '0:1-5 = 9', '0:5-6 = 1']);
});
