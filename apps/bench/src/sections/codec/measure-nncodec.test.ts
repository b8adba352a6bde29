import { toCsr } from '@prune/csr';
import { describe, expect, it } from 'vitest';
import { BENCH_SKIP_CONDITIONS } from '../../../test/skip-conditions.js';
import type { Python } from '../../harness/python.js';
import { findNncodec } from './find-nncodec.js';
import { measureNncodec } from './measure-nncodec.js';

it('a Python without NNCodec is a reason, not an error', async () => {
  expect(await findNncodec({ PRUNE_NNCODEC_PYTHON: 'no-such-python' })).toEqual({
    missing: 'there is no no-such-python',
  });
  expect(await findNncodec({ PRUNE_PYTHON: 'no-such-python' })).toEqual({ missing: 'there is no no-such-python' });
});

describe.skipIf(await BENCH_SKIP_CONDITIONS['no-nncodec']())('NNCodec', () => {
  it('codes matrices, empty ones too, that come back equal', async () => {
    const dense = Int8Array.from({ length: 40 * 30 }, (_, i) => (i % 7 === 0 ? (i % 255) - 127 : 0));
    const matrices = [
      toCsr({ shape: [3, 5], intRepr: new Int8Array(15) }),
      toCsr({ shape: [1, 1], intRepr: Int8Array.of(-128) }),
      toCsr({ shape: [40, 30], intRepr: dense }),
    ];
    const { version, rows } = await measureNncodec((await findNncodec()) as Python, matrices, 2);
    expect(version).toMatch(/^\d+\./);
    expect(rows.map(({ setting }) => setting)).toEqual(['defaults', 'unary prefix of 32']);
    for (const { bytes, encode, decode } of rows) {
      expect(bytes).toBeGreaterThan(100);
      expect(bytes).toBeLessThan(1000);
      expect(encode).toBeGreaterThan(0);
      expect(decode.samples).toBe(2);
    }
  }, 60_000);
});
