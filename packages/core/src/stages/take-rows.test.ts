import { expect, test } from 'vitest';
import type { CsrRows, RowVisitor } from './csr-rows.js';
import { type RowTaker, takeRows } from './take-rows.js';

type Row = Parameters<RowVisitor>;

const indices = Uint16Array.of(9, 1, 3, 0);
const data = Int8Array.of(9, 5, -6, 7);
const good: readonly Row[] = [
  [0, indices, data, 1, 3],
  [1, indices, data, 3, 3],
  [2, indices, data, 3, 4],
];
const place = { where: 'w', tensor: 't' };
const corrupt = expect.objectContaining({ code: 'corrupt', ...place });

function source(forEachRow: CsrRows['forEachRow'], nnz = 3): CsrRows {
  return { shape: [3, 4], nnz, forEachRow };
}

function sourceOf(rows: readonly Row[], nnz?: number): CsrRows {
  return source((visit) => {
    for (const row of rows) visit(...row);
  }, nnz);
}

/** Takes whole rows and notes their numbers. */
function record(seen: number[]): RowTaker {
  return (row, _indices, _data, _start, end) => {
    seen.push(row);
    return end;
  };
}

test('a matrix of no rows', () => {
  const seen: number[] = [];
  takeRows({ shape: [0, 4], nnz: 0, forEachRow() {} }, record(seen), place);
  expect(seen).toEqual([]);
});

test('rows are taken in order, empty ones too, in the arrays of the source', () => {
  const seen: Row[] = [];
  takeRows(sourceOf(good), (...row) => seen.push(row as Row) && row[4]);
  expect(seen).toEqual(good);
});

test.each<[string, readonly unknown[][]]>([
  ['missing', good.slice(0, 2) as unknown[][]],
  ['twice', [good[0], good[0], good[2]]],
  ['one too many', [...good, [3, indices, data, 0, 0]]],
  ['not a number', [['0', indices, data, 1, 3], good[1], good[2]]],
])('rows that are not those of the matrix: %s', (_what, rows) => {
  const seen: number[] = [];
  expect(() => takeRows(sourceOf(rows as Row[]), record(seen), place)).toThrow(corrupt);
  // What was taken before the fault was right.
  expect(seen).toEqual([0, 1, 2].slice(0, seen.length));
});

test.each<[string, ...unknown[]]>([
  ['starts before the arrays', indices, data, -1, 1],
  ['ends before it starts', indices, data, 3, 1],
  ['ends behind the arrays', indices, data, 3, 5],
  ['ends behind the values', new Uint16Array(9), data, 3, 5],
  ['ends behind the columns', indices, new Int8Array(9), 3, 5],
  ['starts at a fraction', indices, data, 0.5, 2],
  ['ends at a fraction', indices, data, 1, 2.5],
  ['has no end', indices, data, 1, undefined],
  ['has no start', indices, data, Number.NaN, 3],
  ['has indices of floats', Float32Array.of(0, 1.5, 1.7), data, 0, 2],
  ['has values of 32 bits', indices, Int32Array.of(1, 1000, 1), 1, 3],
  ['has plain arrays', [0, 1], [1, 1], 0, 2],
  ['has no arrays', undefined, undefined, 0, 2],
])('a row that %s is not taken', (_what, ...row) => {
  const seen: number[] = [];
  expect(() => takeRows(sourceOf([[0, ...row] as Row]), record(seen), place)).toThrow(corrupt);
  expect(seen).toEqual([]);
});

test.each([
  ['more nonzeros than declared', 2, [0, 1]],
  ['fewer nonzeros than declared', 4, [0, 1, 2]],
  ['a number of nonzeros that is not one', Number.NaN, []],
])('%s', (_what, nnz, taken) => {
  const seen: number[] = [];
  expect(() => takeRows(sourceOf(good, nnz), record(seen), place)).toThrow(corrupt);
  expect(seen).toEqual(taken);
});

test.each<[string, number, string]>([
  ['does not ascend', 2, 'w: indices[2] does not ascend in row 0, got 1, wanted more than 1 (tensor "t")'],
  ['is outside', 3, 'w: indices[3] is no column, got 9, wanted less than 4 (tensor "t")'],
])('a column that %s, by where the taker stopped', (_what, stop, message) => {
  const row: Row = [0, Uint16Array.of(0, 1, 1, 9), data, 0, 4];
  expect(() => takeRows(sourceOf([row], 4), () => stop, place)).toThrow(message);
});

test('a fault is final even for a source that catches its error', () => {
  const seen: number[] = [];
  const stubborn = source((visit) => {
    for (const row of [[0, indices, data, 2, 9] as Row, ...good]) {
      try {
        visit(...row);
      } catch {}
    }
  });
  expect(() => takeRows(stubborn, record(seen), place)).toThrow(corrupt);
  expect(seen).toEqual([]);
});

test('a row that the taker refused is final too', () => {
  const seen: number[] = [];
  const stubborn = source((visit) => {
    try {
      visit(...good[0]);
    } catch {}
    for (const row of good) visit(...row);
  });
  const take: RowTaker = (row, _indices, _data, start) => {
    seen.push(row);
    return start;
  };
  expect(() => takeRows(stubborn, take, place)).toThrow(corrupt);
  expect(seen).toEqual([0]);
});

test('no row is taken while another one is, or once all is over', () => {
  const seen: number[] = [];
  let kept: RowVisitor = () => {};
  const rows = source((visit) => {
    kept = visit;
    for (const row of good) visit(...row);
  });
  const nested: RowTaker = (row, _indices, _data, _start, end) => {
    if (row === 0) expect(() => kept(...good[1])).toThrow(corrupt);
    seen.push(row);
    return end;
  };
  takeRows(rows, nested, place);
  expect(() => kept(...good[0])).toThrow(corrupt);
  expect(seen).toEqual([0, 1, 2]);
});

test('no row is taken once the source has left rows out', () => {
  const seen: number[] = [];
  let kept: RowVisitor = () => {};
  const rows = source((visit) => {
    kept = visit;
    visit(...good[0]);
  });
  expect(() => takeRows(rows, record(seen), place)).toThrow(corrupt);
  expect(() => kept(...good[1])).toThrow(corrupt);
  expect(seen).toEqual([0]);
});

test('what the source throws is thrown', () => {
  const failure = new Error('disk');
  const rows = source(() => {
    throw failure;
  });
  expect(() => takeRows(rows, record([]), place)).toThrow(failure);
});
