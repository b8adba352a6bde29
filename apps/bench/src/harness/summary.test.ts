import { describe, expect, it } from 'vitest';
import { quantile, summarize } from './summary.js';

describe('summarize', () => {
  it('has nothing to say of no measurement', () => {
    expect(() => summarize([])).toThrow(RangeError);
    expect(() => summarize([1, Number.NaN])).toThrow(RangeError);
  });

  it('one measurement', () => {
    expect(summarize([3])).toEqual({ median: 3, quartiles: [3, 3], min: 3, max: 3, samples: 1 });
  });

  it('median and quartiles as numpy.quantile gives them, in any order', () => {
    expect(summarize([4, 1, 3, 2])).toEqual({ median: 2.5, quartiles: [1.75, 3.25], min: 1, max: 4, samples: 4 });
    expect(quantile([1, 2, 3, 4, 5], 0.95)).toBeCloseTo(4.8, 12);
  });
});
