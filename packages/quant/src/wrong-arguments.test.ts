import { codeOf, WRONG_ARGUMENTS } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import * as quant from './index.js';

const any = (value: unknown) => value as never;

const CALLS: Record<string, (value: unknown) => unknown> = {
  quantizeDynamic: (value) => quant.quantizeDynamic(any(value), { linears: new Set() }),
  'quantizeDynamic, options': (value) => quant.quantizeDynamic(new Map(), any(value)),
  quantizeWeight: (value) => quant.quantizeWeight(any(value)),
  quantizeWeightToCsr: (value) => quant.quantizeWeightToCsr(any(value)),
  quantizeEmbedding: (value) => quant.quantizeEmbedding(any(value), 8),
};

describe.each(Object.entries(CALLS))('%s', (_, call) => {
  test.each(Object.entries(WRONG_ARGUMENTS))('of %s: invalid-argument', async (_, value) => {
    expect(await codeOf(() => call(value))).toBe('invalid-argument');
  });
});

test.each(['a path', 'nothing', 'null', 'a number', 'an object', 'a promise'])(
  'linearModules of %s: invalid-argument',
  async (name) => {
    const linearModules = () => quant.linearModules(undefined, WRONG_ARGUMENTS[name] as never);
    expect(await codeOf(linearModules)).toBe('invalid-argument');
  },
);
