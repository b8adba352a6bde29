import { expect, test } from 'vitest';
import { entriesOf } from './entries-of.js';

test('an empty map has no entries', async () => {
  expect(await entriesOf(new Map()).next()).toEqual({ done: true, value: undefined });
});

test('values are read one at a time, in order, and a listed name must have one', async () => {
  const reads: string[] = [];
  const read = async (name: string) => {
    reads.push(name);
    return name === 'gone' ? undefined : name;
  };
  const map = { keys: () => ['b', 'a', 'gone'], get: read };
  const seen: [string, string][] = [];
  const readAll = async () => {
    for await (const entry of entriesOf(map)) {
      seen.push(entry);
      expect(reads.length).toBe(seen.length);
    }
  };
  await expect(readAll()).rejects.toMatchObject({ code: 'missing', tensor: 'gone' });
  expect(seen).toEqual([
    ['b', 'b'],
    ['a', 'a'],
  ]);
});
