import fc from 'fast-check';
import { expect, test } from 'vitest';
import { repeatedShare } from './repeated-share.js';

test('nothing, too little, and a run have no repeats', () => {
  for (const length of [0, 1, 5, 6, 1000]) expect(repeatedShare(new Uint8Array(length))).toBe(0);
});

test('noise has hardly any; the second half of a copy is one', () => {
  const bytes = fc.uint8Array({ minLength: 64, maxLength: 4096 });
  fc.assert(
    fc.property(bytes, (half) => {
      const share = repeatedShare(Uint8Array.from([...half, ...half]));
      // A position of the table may be taken by another string in between.
      expect(share).toBeLessThanOrEqual(1);
      expect(share).toBeGreaterThan(new Set(half).size > 32 ? 0.3 : -1);
    }),
  );
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  };
  expect(repeatedShare(Uint8Array.from({ length: 8192 }, next))).toBeLessThan(0.01);
});
