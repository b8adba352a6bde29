import { QUANTIZATION_PROFILES } from '@prune/core';
import { dynamicLinear } from '@prune/quant';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Engine, FloatLinear } from '../src/index.js';
import { normals, random, randomCsr } from './random-encoder.js';
import { differentBits } from './same-bits.js';

/** A Linear with a scale of 0.01. */
export const int8 = (next: () => number, rows: number, columns: number, density: number) => ({
  kind: 'linear' as const,
  weight: randomCsr(next, rows, columns, density),
  qscheme: 'per_tensor_affine' as const,
  scales: Float64Array.of(Math.fround(0.01)),
  bias: { dtype: 'float32' as const, shape: [rows], data: normals(next, rows) as Float32Array<ArrayBuffer> },
});

/**
 * One row of 521 weights that gives 2^-24 + 2^-70 for 520 activations of 127 and one of 75 (see fusedMultiplyAdd's
 * test), and the bias 1.
 */
export function roundedTwice() {
  const data = new Int8Array(521).fill(127);
  data[520] = 75;
  const weight = {
    shape: [1, 521] as const,
    indptr: Int32Array.of(0, 521),
    indices: Uint16Array.from({ length: 521 }, (_, i) => i),
    data,
  };
  return {
    kind: 'linear' as const,
    weight,
    qscheme: 'per_tensor_affine' as const,
    scales: Float64Array.of(8384513 * 2 ** -70),
    bias: { dtype: 'float32' as const, shape: [1], data: Float32Array.of(1) },
  };
}

/** Tests Linears outside of an encoder, on the engine that `create` gives. */
export function linearAloneOn(create: () => Promise<Engine>): void {
  let engine: Engine;
  beforeAll(async () => {
    engine = await create();
  });
  afterAll(() => engine.close());

  test.each([
    { name: 'no token', tokens: 0, rows: 3, columns: 5 },
    { name: 'one token, one row', tokens: 1, rows: 1, columns: 7 },
    { name: 'two rows, as for question answering', tokens: 45, rows: 2, columns: 64 },
    { name: 'tiles, blocks and odd rows', tokens: 70, rows: 101, columns: 1000 },
  ])('$name', ({ tokens, rows, columns }) => {
    const next = random(tokens + rows);
    const linear = int8(next, rows, columns, 0.4);
    for (const profile of QUANTIZATION_PROFILES) {
      for (const rowwise of [false, true]) {
        const loaded = engine.loadLinear(linear, { profile, rowwise });
        expect(loaded.rows).toBe(rows);
        // Twice, and fewer tokens after more.
        for (const count of [tokens, Math.ceil(tokens / 2)]) {
          const x = normals(next, count * columns);
          expect(differentBits(loaded.apply(x), dynamicLinear(x, linear, profile, { rowwise }))).toBe('');
        }
      }
    }
  });

  test('results that float64 rounds to half-way between two numbers of float32', () => {
    const linear = roundedTwice();
    for (const tokens of [1, 20, 32, 40]) {
      for (const rowwise of [false, true]) {
        const x = new Float32Array(tokens * 521).fill(127);
        for (let token = 0; token < tokens; token++) x[token * 521 + 520] = token % 2 === 0 ? 75 : 0;
        const y = engine.loadLinear(linear, { profile: 'fbgemm', rowwise }).apply(x);
        expect(differentBits(y, dynamicLinear(x, linear, 'fbgemm', { rowwise }))).toBe('');
        // Rounded twice it would be 1.
        expect(y[0]).toBe(1 + 2 ** -23);
      }
    }
  });

  test('a float one', () => {
    const next = random(3);
    const weight = normals(next, 6 * 10).map((w) => (next() < 0.5 ? w : 0));
    const linear: FloatLinear = { kind: 'float', weight, shape: [6, 10], bias: normals(next, 6) };
    const x = normals(next, 37 * 10);
    const y = engine.loadLinear(linear, { profile: 'fbgemm', rowwise: false }).apply(x);
    const { fround } = Math;
    const wanted = Float32Array.from({ length: 37 * 6 }, (_, i) => {
      let sum = 0;
      for (let k = 0; k < 10; k++) {
        const w = weight[(i % 6) * 10 + k];
        if (w !== 0) sum = fround(sum + fround(w * x[Math.floor(i / 6) * 10 + k]));
      }
      return sum + linear.bias![i % 6];
    });
    expect(differentBits(y, wanted)).toBe('');
  });

  test('results that overflow are refused, and name the module', () => {
    const module = { ...int8(random(4), 3, 4, 1), scales: Float64Array.of(3.4e38) };
    for (const rowwise of [false, true]) {
      const loaded = engine.loadLinear(module, { profile: 'fbgemm', rowwise }, 'qa_outputs');
      // The last of several tiles alone.
      const x = new Float32Array(4 * 70);
      expect(loaded.apply(x).every(Number.isFinite)).toBe(true);
      x.fill(1e3, 4 * 69);
      expect(() => loaded.apply(x)).toThrow(
        expect.objectContaining({ code: 'not-finite', what: 'results of a Linear', tensor: 'qa_outputs' }),
      );
      expect(loaded.apply(new Float32Array(4 * 70)).every(Number.isFinite)).toBe(true);
    }
  });

  test('what is refused, after which it still works', () => {
    const linear = int8(random(4), 2, 4, 1);
    const loaded = engine.loadLinear(linear, { profile: 'fbgemm', rowwise: false });
    const code = (x: Float32Array) => {
      try {
        loaded.apply(x);
        return 'applied';
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect(code(new Float32Array(5))).toBe('mismatch');
    expect(code(Float32Array.of(1, 2, Number.NaN, 4))).toBe('not-finite');
    expect(code(Float32Array.of(1, 2, 3, Number.NEGATIVE_INFINITY))).toBe('not-finite');
    expect(code(new Float32Array(4 * (2 ** 16 + 1)))).toBe('limit');
    expect(code(Float32Array.of(1, 2, 3, 4))).toBe('applied');
    const broken = { ...linear, scales: Float64Array.of(Number.NaN) };
    expect(() => engine.loadLinear(broken, { profile: 'fbgemm', rowwise: false })).toThrow(
      expect.objectContaining({ code: 'not-finite' }),
    );
  });
}
