import type { CsrMatrix, QuantizedLinear } from '@prune/core';
import { toCsr } from '@prune/csr';
import { type AnyLinear, createEngine } from '@prune/kernels';
import { expect, test } from 'vitest';
import { splitRows } from './split-rows.js';

const ROWS = 11;
const COLUMNS = 6;
const numbers = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 37) % 19) - 9);
const intRepr = Int8Array.from(numbers(ROWS * COLUMNS), (value, i) => (i % 3 === 0 ? 0 : value));
const bias = numbers(ROWS).map((value) => value / 8);
const dense = { shape: [ROWS, COLUMNS] as const, intRepr };
const ofTensor = { qscheme: 'per_tensor_affine', scales: Float64Array.of(0.25) } as const;
const ofRows = {
  qscheme: 'per_channel_affine',
  scales: Float64Array.from({ length: ROWS }, (_, i) => 0.1 + i),
} as const;
const quantized = { kind: 'linear', bias: { dtype: 'float32', shape: [ROWS], data: bias } } as const;

const LINEARS: Record<string, AnyLinear> = {
  float: { kind: 'float', weight: numbers(ROWS * COLUMNS), shape: [ROWS, COLUMNS], bias },
  'float, without a bias': { kind: 'float', weight: numbers(ROWS * COLUMNS), shape: [ROWS, COLUMNS], bias: null },
  'dense codes': { ...quantized, ...ofTensor, weight: dense } as QuantizedLinear,
  'dense codes, a scale for each row': { ...quantized, ...ofRows, weight: dense } as QuantizedLinear,
  CSR: { ...quantized, ...ofTensor, weight: toCsr(dense) } as QuantizedLinear<CsrMatrix>,
  'CSR, a scale for each row': { ...quantized, ...ofRows, weight: toCsr(dense) } as QuantizedLinear<CsrMatrix>,
};

test.each(Object.entries(LINEARS))('%s: the parts give what the whole gives, bit for bit', async (_what, linear) => {
  const engine = await createEngine();
  const mode = { profile: 'fbgemm', rowwise: false } as const;
  const tokens = 3;
  const x = numbers(tokens * COLUMNS).map((value) => value / 3);
  const whole = engine.loadLinear(linear, mode, 'whole').apply(x);
  for (const count of [1, 4, ROWS, 100]) {
    const parts = [...splitRows(linear, count)].map((part) => engine.loadLinear(part, mode, 'part').apply(x));
    expect(parts).toHaveLength(Math.ceil(ROWS / count));
    const joined = Array.from({ length: tokens }, (_, token) =>
      parts.flatMap((y) => [...y.subarray((token * y.length) / tokens, ((token + 1) * y.length) / tokens)]),
    );
    expect(Float32Array.from(joined.flat())).toEqual(whole);
  }
  await engine.close();
});
