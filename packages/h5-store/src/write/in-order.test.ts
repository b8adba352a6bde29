import { expect, test } from 'vitest';
import { inOrder } from './in-order.js';

const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await Promise.resolve();
};

test('nothing to do is settled', async () => {
  await expect(inOrder(1).settled()).resolves.toBeUndefined();
});

test('steps run in their order, whatever is ready first', async () => {
  const work = inOrder(100);
  const ran: number[] = [];
  for (let i = 0; i < 8; i++) {
    await work.room(1);
    const ready = turns(40 - 5 * i);
    work.add(1, async () => {
      await ready;
      ran.push(i);
    });
  }
  await work.settled();
  expect(ran).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('there is room up to the limit, and for one thing that is larger', async () => {
  const work = inOrder(10);
  let ran = 0;
  const add = (weight: number) =>
    work.add(weight, async () => {
      await turns(20);
      ran++;
    });
  await work.room(99);
  add(99);
  await work.room(5);
  expect(ran).toBe(1);
  add(5);
  await work.room(5);
  expect(ran).toBe(1);
  add(5);
  await work.settled();
  expect(ran).toBe(3);
});

test('an error comes out of the next call, and no step runs after it or after stop', async () => {
  const work = inOrder(1);
  let ran = 0;
  await work.room(1);
  work.add(1, () => Promise.reject(new Error('disk full')));
  await expect(work.room(1)).rejects.toThrow('disk full');
  work.add(0, async () => void ran++);
  await expect(work.settled()).rejects.toThrow('disk full');
  const stopped = inOrder(1);
  await stopped.stop();
  stopped.add(0, async () => void ran++);
  await stopped.settled();
  expect(ran).toBe(0);
});
