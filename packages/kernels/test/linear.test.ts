import { dynamicLinear } from '@prune/quant';
import { afterAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine, type FloatLinear } from '../src/index.js';
import { workerThreads } from '../src/node.js';
import { normals, random, randomCsr } from './random-encoder.js';
import { differentBits } from './same-bits.js';

const engines: Engine[] = [];
afterAll(() => Promise.all(engines.map((engine) => engine.close())));

const int8 = (next: () => number, rows: number, columns: number, density: number) => ({
  kind: 'linear' as const,
  weight: randomCsr(next, rows, columns, density),
  qscheme: 'per_tensor_affine' as const,
  scales: Float64Array.of(Math.fround(0.01)),
  bias: { dtype: 'float32' as const, shape: [rows], data: normals(next, rows) as Float32Array<ArrayBuffer> },
});

describe.each(['reference', 'wasm-simd', 'auto'] as const)('a Linear alone: %s', async (kernels) => {
  // Two threads: its memory is then a shared one, and only the caller computes.
  const engine = await createEngine({ kernels, threads: kernels === 'auto' ? 2 : 1, threadHost: workerThreads });
  engines.push(engine);

  test.each([
    { name: 'no token', tokens: 0, rows: 3, columns: 5 },
    { name: 'one token, one row', tokens: 1, rows: 1, columns: 7 },
    { name: 'two rows, as for question answering', tokens: 45, rows: 2, columns: 64 },
    { name: 'tiles, blocks and odd rows', tokens: 70, rows: 101, columns: 1000 },
  ])('$name', ({ tokens, rows, columns }) => {
    const next = random(tokens + rows);
    const linear = int8(next, rows, columns, 0.4);
    for (const profile of ['fbgemm', 'fbgemm-1.5', 'qnnpack'] as const) {
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
});
