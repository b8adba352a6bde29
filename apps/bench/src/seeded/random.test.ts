import { describe, expect, it } from 'vitest';
import { random } from './random.js';

describe('random', () => {
  it('is the same on every machine', () => {
    const source = random('');
    expect(Array.from({ length: 4 }, () => source.uint32())).toMatchInlineSnapshot(`
      [
        3941605919,
        4149383839,
        3271542558,
        1056095630,
      ]
    `);
    const other = random('1/qa_outputs.weight');
    expect(Array.from({ length: 3 }, () => other.normal())).toMatchInlineSnapshot(`
      [
        0.06221897038862778,
        -0.06815791763215273,
        -0.02943071705809075,
      ]
    `);
  });

  it('gives each name a stream of its own, past the end of a block too', () => {
    const [a, b, c] = [random('a'), random('a'), random('b')];
    let equal = 0;
    for (let i = 0; i < 10_000; i++) {
      const value = a.uint32();
      expect(value).toBe(b.uint32());
      if (value === c.uint32()) equal++;
    }
    expect(equal).toBeLessThan(3);
  });

  it('normal() has mean 0, deviation 1, and a normal tail', () => {
    const source = random('moments');
    const values = Float64Array.from({ length: 200_000 }, () => source.normal());
    const mean = values.reduce((sum, z) => sum + z, 0) / values.length;
    const variance = values.reduce((sum, z) => sum + z * z, 0) / values.length - mean * mean;
    expect(Math.abs(mean)).toBeLessThan(0.01);
    expect(variance).toBeCloseTo(1, 1.9);
    const outside = values.filter((z) => Math.abs(z) > 1.959964).length / values.length;
    expect(outside).toBeGreaterThan(0.047);
    expect(outside).toBeLessThan(0.053);
  });
});
