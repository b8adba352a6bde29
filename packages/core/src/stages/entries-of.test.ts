import { expect, test } from 'vitest';
import { entriesOf } from './entries-of.js';

test('an empty map has no entries', async () => {
  expect(await entriesOf(new Map()).next()).toEqual({ done: true, value: undefined });
});

test('in order, one value ahead and no more, and a listed name must have one', async () => {
  const reads: string[] = [];
  const get = async (name: string) => {
    reads.push(name);
    return name === 'gone' ? undefined : name;
  };
  const seen: [string, string][] = [];
  const readAll = async () => {
    for await (const entry of entriesOf({ keys: () => ['c', 'b', 'a', 'gone'], get })) {
      seen.push(entry);
      expect(reads.length).toBe(seen.length + 1);
    }
  };
  await expect(readAll()).rejects.toMatchObject({ code: 'missing', tensor: 'gone' });
  expect(seen).toEqual([
    ['c', 'c'],
    ['b', 'b'],
    ['a', 'a'],
  ]);
});

test('what fails ahead fails in its turn, and not at all when the caller leaves before; a read under way is waited for', async () => {
  let reads = 0;
  const get = async (name: string) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    reads++;
    if (name === 'bad') throw new Error('bad');
    return name;
  };
  const map = { keys: () => ['a', 'bad', 'b'], get };
  for await (const [name] of entriesOf(map)) {
    expect(name).toBe('a');
    break;
  }
  expect(reads).toBe(2);
  const entries = entriesOf(map);
  expect(await entries.next()).toEqual({ done: false, value: ['a', 'a'] });
  await expect(entries.next()).rejects.toThrow('bad');
  expect(await entries.next()).toEqual({ done: true, value: undefined });
});
