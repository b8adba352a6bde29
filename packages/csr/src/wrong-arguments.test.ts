import { codeOf, WRONG_ARGUMENTS } from '@prune/fixtures';
import { describe, expect, test } from 'vitest';
import * as csr from './index.js';

const any = (value: unknown) => value as never;

const CALLS: Record<string, (value: unknown) => unknown> = {
  toCsr: (value) => csr.toCsr(any(value)),
  toDense: (value) => csr.toDense(any(value)),
  csrStatistics: (value) => csr.csrStatistics(any(value)),
  maskBounds: (value) => csr.maskBounds(any(value)),
  sliceRows: (value) => csr.sliceRows(any(value), 0),
  validateCsr: (value) => csr.validateCsr(any(value)),
  valueEntropy: (value) => csr.valueEntropy(any(value)),
  decompose: (value) => csr.decompose(any(value)).next(),
  recompose: (value) => csr.recompose(any(value)),
  recomposeSparse: (value) => csr.recomposeSparse(any(value)),
};

describe.each(Object.entries(CALLS))('%s', (_, call) => {
  test.each(Object.entries(WRONG_ARGUMENTS))('of %s: invalid-argument', async (_, value) => {
    expect(await codeOf(() => call(value))).toBe('invalid-argument');
  });
});

test('the message says what was wanted', () => {
  expect(() => csr.toCsr([[1, 2]] as never)).toThrow(
    'csr: matrix of toCsr, got [object Array], wanted { shape: [rows, columns], intRepr: Int8Array }',
  );
});
