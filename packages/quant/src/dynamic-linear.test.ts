import { type CsrMatrix, QUANTIZATION_PROFILES, type QuantizedLinear, tensor } from '@prune/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ACTIVATION_QMAX, activationQuantization } from './activation-quantization.js';
import { dynamicLinear } from './dynamic-linear.js';
import { quantizeWeight } from './quantize-weight.js';

/** CSR from the definition; @prune/csr has the real one. */
function sparse({ weight, ...rest }: QuantizedLinear): QuantizedLinear<CsrMatrix> {
  const [rows, columns] = weight.shape;
  const indptr = [0];
  const indices: number[] = [];
  const data: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = weight.intRepr[row * columns + column];
      if (value !== 0) {
        indices.push(column);
        data.push(value);
      }
    }
    indptr.push(data.length);
  }
  const matrix = {
    shape: [rows, columns] as const,
    indptr: Int32Array.from(indptr),
    indices: Uint16Array.from(indices),
    data: Int8Array.from(data),
  };
  return { ...rest, weight: matrix };
}

function linear(rows: number, columns: number, values: number[], bias: number[] | null): QuantizedLinear {
  const quantized = quantizeWeight(tensor('float32', [rows, columns], Float32Array.from(values)));
  return { kind: 'linear', ...quantized, bias: bias && tensor('float32', [rows], Float32Array.from(bias)) };
}

test('no tokens, no inputs, no outputs', () => {
  for (const profile of QUANTIZATION_PROFILES) {
    expect(dynamicLinear(new Float32Array(0), linear(2, 3, [1, 2, 3, 4, 5, 6], [1, 2]), profile)).toEqual(
      new Float32Array(0),
    );
    expect(dynamicLinear(new Float32Array(0), linear(2, 0, [], [1, 2]), profile)).toEqual(new Float32Array(0));
    expect(dynamicLinear(new Float32Array(3), linear(0, 3, [], []), profile)).toEqual(new Float32Array(0));
  }
});

test('zeros give the bias, and bias=None gives 0', () => {
  for (const profile of QUANTIZATION_PROFILES) {
    const values = [1, -2, 3, 4, -5, 6];
    expect(dynamicLinear(new Float32Array(3), linear(2, 3, values, [0.5, -7]), profile)).toEqual(
      Float32Array.of(0.5, -7),
    );
    expect(dynamicLinear(new Float32Array(3), linear(2, 3, values, null), profile)).toEqual(Float32Array.of(0, 0));
  }
});

test('fbgemm-1.5 has the integers of qnnpack and the last line of fbgemm', () => {
  // 0.7 * 255 steps: acc, scales and bias chosen so that one and two roundings differ.
  const x = Float32Array.of(0.7, -0.3, 0.1, 0.9);
  const m = linear(1, 4, [0.37, -0.11, 0.23, 0.91], [0.123456]);
  const { scale, zeroPoint } = activationQuantization(Math.fround(-0.3), Math.fround(0.9), 'qnnpack');
  const acc = [...x].reduce((sum, value, k) => {
    const code = Math.max(0, Math.min(255, Math.round(Math.fround(value * Math.fround(1 / scale))) + zeroPoint));
    return sum + (code - zeroPoint) * m.weight.intRepr[k];
  }, 0);
  const product = Math.fround(acc) * Math.fround(scale * m.scales[0]);
  const bias = Math.fround(0.123456);
  expect([...dynamicLinear(x, m, 'fbgemm-1.5')]).toEqual([Math.fround(product + bias)]);
  expect([...dynamicLinear(x, m, 'qnnpack')]).toEqual([Math.fround(Math.fround(product) + bias)]);
});

test('activations that do not come in whole rows, and NaN and infinities, are refused', () => {
  const m = linear(1, 3, [1, 2, 3], null);
  expect(() => dynamicLinear(new Float32Array(4), m, 'fbgemm')).toThrow(expect.objectContaining({ code: 'mismatch' }));
  expect(() => dynamicLinear(new Float32Array(4), linear(1, 0, [], null), 'fbgemm')).toThrow(
    expect.objectContaining({ code: 'mismatch' }),
  );
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const x = Float32Array.of(1, bad, 2);
    for (const rowwise of [false, true]) {
      expect(() => dynamicLinear(x, m, 'fbgemm', { rowwise })).toThrow(expect.objectContaining({ code: 'not-finite' }));
    }
  }
});

test('sparse is dense, and rowwise is every row alone', () => {
  const cases = fc
    .record({
      rows: fc.integer({ min: 1, max: 4 }),
      columns: fc.integer({ min: 1, max: 6 }),
      tokens: fc.integer({ min: 1, max: 4 }),
      profile: fc.constantFrom(...QUANTIZATION_PROFILES),
      hasBias: fc.boolean(),
      stream: fc.infiniteStream(fc.oneof(fc.constant(0), fc.float({ min: -4, max: 4, noNaN: true }))),
    })
    .map(({ rows, columns, tokens, profile, hasBias, stream }) => {
      const take = (n: number) => Array.from({ length: n }, () => stream.next().value);
      const m = linear(rows, columns, take(rows * columns), hasBias ? take(rows) : null);
      return { m, profile, columns, rows, x: Float32Array.from(take(tokens * columns)) };
    });
  fc.assert(
    fc.property(cases, ({ m, profile, rows, columns, x }) => {
      expect(dynamicLinear(x, sparse(m), profile)).toEqual(dynamicLinear(x, m, profile));
      const together = dynamicLinear(x, m, profile, { rowwise: true });
      for (let token = 0; token * columns < x.length; token++) {
        const alone = dynamicLinear(x.subarray(token * columns, (token + 1) * columns), m, profile);
        expect(together.slice(token * rows, (token + 1) * rows)).toEqual(alone);
      }
    }),
  );
});

test('activation scales: zero is taken in, tiny ranges are stretched, nothing leaves the range', () => {
  expect(activationQuantization(0, 0, 'fbgemm')).toEqual({
    scale: Math.fround(0.1),
    exactScale: 0.1,
    inverse: Math.fround(1 / Math.fround(0.1)),
    zeroPoint: 0,
  });
  expect(activationQuantization(1, 2, 'fbgemm')).toEqual(activationQuantization(0, 2, 'fbgemm'));
  expect(activationQuantization(-2, -1, 'qnnpack')).toEqual(activationQuantization(-2, 0, 'qnnpack'));
  expect(activationQuantization(-1, 0, 'fbgemm').zeroPoint).toBe(127);
  const floor = Math.fround(6.1e-5);
  expect(activationQuantization(0, 1e-6, 'fbgemm')).toMatchObject({ scale: floor, zeroPoint: 0 });
  expect(activationQuantization(-1e-6, 0, 'fbgemm')).toMatchObject({ scale: floor, zeroPoint: 127 });
  expect(activationQuantization(-1e-6, 1e-6, 'qnnpack')).toMatchObject({ scale: floor, zeroPoint: 128 });
  const float = fc.float({ noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(float, float, fc.constantFrom('fbgemm', 'fbgemm-1.5', 'qnnpack'), (a, b, profile) => {
      const { scale, inverse, zeroPoint } = activationQuantization(Math.min(a, b), Math.max(a, b), profile);
      expect(Number.isInteger(zeroPoint) && zeroPoint >= 0 && zeroPoint <= ACTIVATION_QMAX[profile]).toBe(true);
      expect(scale >= floor && Number.isFinite(scale) && inverse > 0 && Number.isFinite(inverse)).toBe(true);
    }),
  );
  expect(() => activationQuantization(0, Number.NaN, 'fbgemm')).toThrow(
    expect.objectContaining({ code: 'not-finite' }),
  );
});

test('with reduce_range an activation can still be 128', () => {
  // The zero point is rounded up from n + 0.5, and so is the largest element: kernels that need 7 bits must meet this case.
  const found: number[] = [];
  for (let k = 1; k < 254; k++) {
    const [low, high] = [-k / 254, 1 - k / 254].map(Math.fround);
    const { inverse, zeroPoint } = activationQuantization(low, high, 'fbgemm');
    const m: QuantizedLinear = {
      kind: 'linear',
      weight: { shape: [1, 2], intRepr: Int8Array.of(0, 1) },
      qscheme: 'per_tensor_affine',
      scales: Float64Array.of(1),
      bias: null,
    };
    const y = dynamicLinear(Float32Array.of(low, high), m, 'fbgemm')[0];
    found.push(Math.round(y * inverse) + zeroPoint);
  }
  expect(Math.max(...found)).toBe(128);
});
