import { describe, expect, it } from 'vitest';
import { interleave, ratios } from './interleave.js';

describe('interleave', () => {
  it('no side, no round', async () => {
    expect(await interleave([], { rounds: 3 })).toEqual(new Map());
    const never = {
      name: 'a',
      run: async () => {
        throw new Error('ran');
      },
    };
    expect(await interleave([never], { rounds: 0, warmup: 0 })).toEqual(new Map([['a', []]]));
  });

  it('turns the order round by round, one at a time, and drops the warm-up', async () => {
    const order: string[] = [];
    let running = 0;
    const side = (name: string) => ({
      name,
      async run(round: number) {
        expect(++running).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 1));
        running--;
        order.push(`${name}${round}`);
        return round;
      },
    });
    const results = await interleave([side('a'), side('b')], { rounds: 2, warmup: 1 });
    expect(order).toEqual(['b-1', 'a-1', 'a0', 'b0', 'b1', 'a1']);
    expect(results).toEqual(
      new Map([
        ['a', [0, 1]],
        ['b', [0, 1]],
      ]),
    );
  });

  it('stops when its time is up, after five rounds at the soonest', async () => {
    const slow = { name: 'a', run: () => new Promise<number>((resolve) => setTimeout(() => resolve(1), 2)) };
    const five = await interleave([slow], { rounds: 100, budget: 0 });
    expect(five.get('a')).toHaveLength(5);
    expect((await interleave([slow], { rounds: 3, budget: 0 })).get('a')).toHaveLength(3);
    expect((await interleave([slow], { rounds: 7, budget: 60 })).get('a')).toHaveLength(7);
  });

  it('ratios are taken within a round', () => {
    expect(ratios([2, 8], [1, 4])).toEqual([2, 2]);
  });
});
