import { describe, expect, test } from 'vitest';
import {
  CACHE_LINE_BYTES,
  CODE_ROW_BYTES,
  CONSTANTS,
  CONTROL,
  FIRST_FREE,
  FLOAT_ROW_HEADER,
  FLOAT_WEIGHT,
  GROUP,
  ITEMS,
  LANES,
  LAYER,
  LINEAR,
  PAIR,
  PLAN,
  PUBLISHED_RANGE,
  QUAD,
  ROW_BYTES,
  ROW_HEADER,
  SCRATCH,
  SEQUENCE,
} from './layout.js';
import type { Struct } from './struct.js';

describe('the memory map', () => {
  test('regions begin where it says, in order, and none reaches into the next', () => {
    const regions = [CONSTANTS, PLAN, CONTROL, { at: FIRST_FREE, bytes: 0 }];
    expect(regions.map(({ at }) => at)).toEqual([0, 1024, 2048, 4096]);
    for (const [index, { at, bytes }] of regions.slice(0, -1).entries()) {
      expect(at + bytes).toBeLessThanOrEqual(regions[index + 1].at);
    }
  });

  test('threads that write different control words write different pairs of cache lines', () => {
    const lines = Object.values(CONTROL.fields).map(({ at }) => Math.floor(at / (2 * CACHE_LINE_BYTES)));
    expect(new Set(lines).size).toBe(6);
  });

  test('a constant is a vector, and begins at a multiple of 16 bytes', () => {
    for (const { at } of Object.values(CONSTANTS.fields)) expect(at % 16).toBe(0);
    expect(CONSTANTS.bytes).toBe(25 * 16);
  });

  test('each part of the scratch has room for a row of 32 tokens', () => {
    for (const { at } of Object.values(SCRATCH.fields)) expect(at % ROW_BYTES).toBe(0);
    expect(SCRATCH.bytes).toBe(8 * ROW_BYTES);
  });

  test('offsets in a quantized tile of 768 columns, the most that a block has, fit 16 bits', () => {
    expect(768 * CODE_ROW_BYTES).toBeLessThanOrEqual(2 ** 16);
    expect(CODE_ROW_BYTES).toBe(LANES);
  });
});

test('the records of the weight stream and of the tables have these offsets', () => {
  const offsets = ({ bytes, fields }: Struct) => ({
    ...Object.fromEntries(Object.entries(fields).map(([name, { at }]) => [name, at])),
    bytes,
  });
  expect(offsets(ROW_HEADER)).toEqual({
    row: 0,
    sum: 4,
    scale: 8,
    bias: 12,
    minusGroups: 16,
    plusGroups: 18,
    bytes: 20,
  });
  // row-writer.ts writes the words of these three one after another.
  expect(offsets(GROUP)).toEqual({ pairBytes: 0, bytes: 2 });
  expect(offsets(PAIR)).toEqual({ first: 0, second: 2, weights: 4, bytes: 6 });
  expect(offsets(QUAD)).toEqual({ first: 0, second: 2, third: 4, fourth: 6, weights: 8, bytes: 12 });
  expect(offsets(FLOAT_ROW_HEADER)).toEqual({ count: 0, bytes: 4 });
  expect(offsets(FLOAT_WEIGHT)).toEqual({ offset: 0, value: 4, bytes: 8 });
  expect(offsets(ITEMS)).toEqual({ first: 0, end: 4, taken: 8, bytes: 12 });
  expect(offsets(SEQUENCE)).toEqual({ firstLane: 0, tokens: 4, keys: 8, bytes: 12 });
  expect(offsets(PUBLISHED_RANGE)).toEqual({ high: 0, low: 4, bytes: 8 });
  expect(LINEAR.bytes).toBe(48);
  expect(offsets(LAYER)).toEqual({ linears: 0, norms: 6 * 48, bytes: 6 * 48 + 16 });
});
