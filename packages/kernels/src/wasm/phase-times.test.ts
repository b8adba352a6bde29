import { expect, test } from 'vitest';
import { PhaseTimes } from './phase-times.js';

const part = (kind: 'attention' | 'output' | 'load', work: number) => ({ kind, work });

test('no work takes no time, and tells nothing about the time of work', () => {
  const times = new PhaseTimes();
  const before = times.expected(part('output', 7));
  times.add([], 5);
  times.add([part('output', 0)], 5);
  expect(times.expected(part('output', 0))).toBe(0);
  expect(times.expected(part('output', 7))).toBe(before);
});

test('before any measurement, more work takes longer', () => {
  const times = new PhaseTimes();
  for (const kind of ['attention', 'output', 'load'] as const) {
    expect(times.expected(part(kind, 1))).toBeGreaterThan(0);
    expect(times.expected(part(kind, 10))).toBeGreaterThan(times.expected(part(kind, 1)));
  }
});

test('the last measurement of a kind counts, and scales with the work', () => {
  const times = new PhaseTimes();
  times.add([part('output', 100)], 50);
  times.add([part('output', 10)], 20);
  expect(times.expected(part('output', 10))).toBeCloseTo(20);
  expect(times.expected(part('output', 30))).toBeCloseTo(60);
});

test('several kinds that took twice as long as expected took twice as long each; others are as before', () => {
  const times = new PhaseTimes();
  times.add([part('output', 10)], 1);
  times.add([part('attention', 10)], 3);
  times.add([part('load', 10)], 5);
  times.add([part('output', 10), part('attention', 10), part('output', 10), part('load', 0)], 10);
  expect(times.expected(part('output', 10))).toBeCloseTo(2);
  expect(times.expected(part('attention', 10))).toBeCloseTo(6);
  expect(times.expected(part('load', 10))).toBeCloseTo(5);
});

test('what a coarse clock measures as 0 does not stay so', () => {
  const times = new PhaseTimes();
  times.add([part('output', 10)], 0);
  expect(times.expected(part('output', 10))).toBeGreaterThan(0);
  times.add([part('output', 10)], 8);
  expect(times.expected(part('output', 10))).toBeCloseTo(8);
});
