import { describe, expect, it } from 'vitest';
import { crossoverOf } from './crossover.js';

const row = (density: number, seconds: number) => ({ density, seconds, peerSeconds: 1 });

describe('crossoverOf', () => {
  it('none where there is no row, or ours is always faster or always slower', () => {
    expect(crossoverOf([])).toBeNull();
    expect(crossoverOf([row(0.03, 0.5), row(0.5, 0.9)])).toBeNull();
    expect(crossoverOf([row(0.03, 1.5), row(0.5, 2)])).toBeNull();
  });

  it('linear between neighbours, in any order', () => {
    expect(crossoverOf([row(0.2, 1.5), row(0.1, 0.5), row(0.03, 0.2)])).toBeCloseTo(0.15, 12);
    expect(crossoverOf([row(0.1, 1), row(0.2, 2)])).toBeCloseTo(0.1, 12);
  });
});
