import { expect, test } from 'vitest';
import { type StoredTable, storedTable } from './stored-table.js';

/** A table of 100 rows of two elements, its calls, and `bytes` to keep. */
function tableOf(keptRows: number) {
  const calls: number[][] = [];
  const table = storedTable(
    {
      shape: [100, 2],
      async select(rows) {
        calls.push([...rows]);
        return {
          dtype: 'float32',
          shape: [rows.length, 2],
          data: Float32Array.from([...rows].flatMap((n) => [n, -n])),
        };
      },
    },
    keptRows * 8,
  );
  return { table, calls };
}

const get = async (table: StoredTable, ...numbers: number[]) => {
  const { shape, rows } = await table.rows(Int32Array.from(numbers), undefined);
  expect(shape).toEqual([100, 2]);
  return Object.fromEntries([...rows].map(([number, row]) => [number, [...row]]));
};

test('no rows', async () => {
  const { table, calls } = tableOf(10);
  expect(await get(table)).toEqual({});
  expect([calls, table.bytes]).toEqual([[], 0]);
});

test('rows that were used longest ago are dropped first, and fetched again', async () => {
  const { table, calls } = tableOf(3);
  await get(table, 1, 2, 3);
  await get(table, 1);
  await get(table, 4);
  expect(table.bytes).toBe(3 * 8);
  expect(await get(table, 1, 3, 4)).toEqual({ 1: [1, -1], 3: [3, -3], 4: [4, -4] });
  expect(await get(table, 2)).toEqual({ 2: [2, -2] });
  expect(calls).toEqual([[1, 2, 3], [4], [2]]);
});

test('a batch may need more rows than are kept', async () => {
  const { table, calls } = tableOf(2);
  expect(Object.keys(await get(table, 9, 10, 2, 9, 100 - 1))).toEqual(['2', '9', '10', '99']);
  expect(table.bytes).toBe(2 * 8);
  expect(Object.keys(await get(table, 9, 10, 2, 99))).toEqual(['2', '9', '10', '99']);
  expect(calls).toEqual([
    [2, 9, 10, 99],
    [2, 9],
  ]);
});

test('nothing is kept: rows are fetched for each batch', async () => {
  const { table, calls } = tableOf(0);
  for (let i = 0; i < 2; i++) expect(await get(table, 5)).toEqual({ 5: [5, -5] });
  expect([calls, table.bytes]).toEqual([[[5], [5]], 0]);
});

test('a call waits for rows that others fetch, and asks for the rest only', async () => {
  const { table, calls } = tableOf(10);
  const found = await Promise.all([get(table, 1, 2), get(table, 2, 3), get(table, 1, 2, 3)]);
  expect(found.map((rows) => Object.keys(rows).map(Number))).toEqual([
    [1, 2],
    [2, 3],
    [1, 2, 3],
  ]);
  expect(calls).toEqual([[1, 2], [3]]);
});
