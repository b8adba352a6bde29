import { type CsrMatrix, type Tensor, tensor } from '@prune/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dequantizeEmbedding, dequantizeEmbeddingRow } from './dequantize-embedding.js';
import { dequantizeLinear } from './dequantize-linear.js';
import { quantizeEmbedding } from './quantize-embedding.js';
import { quantizeWeight } from './quantize-weight.js';
import { quantizeWeightToCsr } from './quantize-weight-to-csr.js';

const matrix = (rows: number, columns: number, values: ArrayLike<number> = new Array(rows * columns).fill(0)) =>
  tensor('float32', [rows, columns], Float32Array.from(values));

// PyTorch's observers give 1 when they have seen no element.
test.each([
  [0, 0, 1],
  [0, 3, 1],
  [3, 0, 1],
  [2, 3, 2 ** -23],
])('all-zero %i x %i: scale is %f', (rows, columns, scale) => {
  for (const perChannel of [false, true]) {
    const { weight, scales, qscheme } = quantizeWeight(matrix(rows, columns), { perChannel });
    expect(weight).toEqual({ shape: [rows, columns], intRepr: new Int8Array(rows * columns) });
    expect(qscheme).toBe(perChannel ? 'per_channel_affine' : 'per_tensor_affine');
    expect(scales).toEqual(new Float64Array(perChannel ? rows : 1).fill(scale));
    expect(quantizeWeightToCsr(matrix(rows, columns), { perChannel }).weight).toEqual({
      shape: [rows, columns],
      indptr: new Int32Array(rows + 1),
      indices: new Uint16Array(0),
      data: new Int8Array(0),
    });
  }
  for (const bits of [8, 4] as const) {
    const table = quantizeEmbedding(matrix(rows, columns), bits);
    expect(dequantizeEmbedding(table)).toEqual(matrix(rows, columns));
  }
});

test('an explicit undefined means the default, and float16 and views quantize as their float32', () => {
  const weights = matrix(1, 3, [1, -0.5, 0.25]);
  const wanted = quantizeWeight(weights);
  expect(quantizeWeight(weights, { perChannel: undefined })).toEqual(wanted);
  const view = Float32Array.of(9, 1, -0.5, 0.25, 9).subarray(1, 4);
  expect(quantizeWeight(tensor('float32', [1, 3], view))).toEqual(wanted);
  expect(quantizeWeight(tensor('float16', [1, 3], Uint16Array.of(0x3c00, 0xb800, 0x3400)))).toEqual(wanted);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  '%d is refused by name and place',
  (bad) => {
    const weights = matrix(2, 3, [1, 2, 3, 4, bad, 6]);
    const wanted = expect.objectContaining({ code: 'not-finite', tensor: 'layer.weight', where: 'quant' });
    expect(() => quantizeWeight(weights, { name: 'layer.weight' })).toThrow(wanted);
    expect(() => quantizeWeight(weights, { name: 'layer.weight', perChannel: true })).toThrow(wanted);
    expect(() => quantizeWeight(weights)).toThrow('element 4');
    expect(() => quantizeEmbedding(weights, 8, { name: 'layer.weight' })).toThrow(wanted);
  },
);

test('shapes and dtypes that are no float matrix are refused; so is a row whose range overflows float32', () => {
  const vector = tensor('float32', [3], new Float32Array(3));
  const integers = tensor('int64', [1, 1], new BigInt64Array(1)) as Tensor;
  for (const quantize of [(t: Tensor) => quantizeWeight(t), (t: Tensor) => quantizeEmbedding(t, 4)]) {
    expect(() => quantize(vector)).toThrow(expect.objectContaining({ code: 'mismatch' }));
    expect(() => quantize(integers)).toThrow(expect.objectContaining({ code: 'unsupported', where: 'quant' }));
  }
  const wide = matrix(1, 2, [3e38, -3e38]);
  expect(() => quantizeEmbedding(wide, 8)).toThrow(expect.objectContaining({ code: 'not-finite' }));
  expect([...quantizeWeight(wide).weight.intRepr]).toEqual([127, -128]);
});

// -128 times the scale of a weight near float32's largest would be an infinity.
const floats = fc.float({ min: -(2 ** 127), max: 2 ** 127, noNaN: true });
const anyMatrix = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 7 }))
  .chain(([rows, columns]) =>
    fc.array(floats, { minLength: rows * columns, maxLength: rows * columns }).map((v) => matrix(rows, columns, v)),
  );

/** The formula of PyTorch's observers as written down, with Math functions and one float32 rounding an operation. */
function slowly(values: Float32Array) {
  const f = Math.fround;
  const amax = Math.max(Math.abs(Math.min(...values, 0)), Math.abs(Math.max(...values, 0)));
  const scale = Math.max(f(amax / f(127.5)), 2 ** -23);
  const codes = Array.from(values, (w) => {
    const x = f(w * f(1 / scale));
    const even = 2 * Math.round(x / 2);
    const rounded = Math.abs(x - Math.trunc(x)) === 0.5 ? even : Math.round(x);
    return Math.max(-128, Math.min(127, rounded)) + 0;
  });
  return { scale, codes };
}

test('any matrix: as the formula says, and within half a step where nothing is clamped', () => {
  fc.assert(
    fc.property(anyMatrix, fc.boolean(), (weights, perChannel) => {
      const [rows, columns] = weights.shape;
      const quantized = quantizeWeight(weights, { perChannel });
      const { scales, weight } = quantized;
      for (let block = 0; block < scales.length; block++) {
        const [start, length] = perChannel ? [block * columns, columns] : [0, rows * columns];
        const { scale, codes } = slowly(weights.data.subarray(start, start + length));
        expect(scales[block]).toBe(scale);
        expect([...weight.intRepr.subarray(start, start + length)]).toEqual(codes);
      }
      const back = dequantizeLinear({ kind: 'linear', ...quantized, bias: null }).data;
      const off = back.findIndex((value, i) => {
        const scale = scales[perChannel ? Math.floor(i / columns) : 0];
        return weight.intRepr[i] !== 127 && !(Math.abs(value - weights.data[i]) <= scale * 0.50001);
      });
      expect(off).toBe(-1);
    }),
  );
});

test('any table: within half a step of its row, 8 and 4 bits, odd widths too; a row alone is the same row', () => {
  const values = fc.float({ min: -8, max: 8, noNaN: true });
  const tables = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 7 }), fc.constantFrom(8 as const, 4 as const))
    .chain(([rows, columns, bits]) =>
      fc
        .array(values, { minLength: rows * columns, maxLength: rows * columns })
        .map((v) => ({ weights: matrix(rows, columns, v), bits })),
    );
  fc.assert(
    fc.property(tables, ({ weights, bits }) => {
      const [rows, columns] = weights.shape;
      const table = quantizeEmbedding(weights, bits);
      expect(table.intRepr.length).toBe(rows * (bits === 8 ? columns : Math.ceil(columns / 2)));
      const back = dequantizeEmbedding(table).data;
      const line = new Float32Array(columns);
      for (let row = 0; row < rows; row++) {
        dequantizeEmbeddingRow(table, row, line);
        expect(line).toEqual(back.slice(row * columns, (row + 1) * columns));
      }
      const off = back.findIndex((value, i) => {
        const row = Math.floor(i / columns);
        // A zero point of z costs up to z's last bit times the scale: rows far from 0 with a small range.
        const slack = Math.abs(table.zeroPoints[row]) * 2 ** -22;
        return !(Math.abs(value - weights.data[i]) <= table.scales[row] * (0.5001 + slack) + 2 ** -24);
      });
      expect(off).toBe(-1);
    }),
  );
});

/** Dense codes again, each row's columns shown to ascend and no zero to be kept. */
function denseCodes({ shape: [rows, columns], indptr, indices, data }: CsrMatrix): Int8Array {
  const codes = new Int8Array(rows * columns);
  expect([indptr.length, indptr[0], indptr[rows]]).toEqual([rows + 1, 0, data.length]);
  for (let row = 0; row < rows; row++) {
    for (let p = indptr[row]; p < indptr[row + 1]; p++) {
      expect(data[p]).not.toBe(0);
      expect(p === indptr[row] || indices[p] > indices[p - 1]).toBe(true);
      codes[row * columns + indices[p]] = data[p];
    }
  }
  return codes;
}

test('pruned matrices quantize as the formula says, element by element, wherever they lie in memory', () => {
  const weight = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(0, -0) },
    { weight: 3, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true, min: -4, max: 4 }) },
    { weight: 1, arbitrary: fc.constantFrom(2 ** -149, -(2 ** -149), 2 ** -126) },
  );
  const lengths = fc.integer({ min: 0, max: 40 });
  fc.assert(
    fc.property(
      lengths,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 0, max: 3 }),
      fc.gen(),
      (columns, rows, skip, g) => {
        const memory = Float32Array.from({ length: skip + rows * columns }, () => g(() => weight));
        const values = memory.subarray(skip);
        for (const perChannel of [false, true]) {
          const { weight, scales } = quantizeWeight(tensor('float32', [rows, columns], values), { perChannel });
          const block = perChannel ? columns : values.length;
          const wanted = Int8Array.from(values, (value, i) => {
            const line = values.subarray(Math.floor(i / block) * block, (Math.floor(i / block) + 1) * block);
            const amax = line.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
            const scale = Math.max(Math.fround(amax / 127.5), 2 ** -23);
            expect(scales[perChannel ? Math.floor(i / block) : 0]).toBe(scale);
            const scaled = Math.fround(value * Math.fround(1 / scale));
            const floor = Math.floor(scaled);
            const even = scaled - floor === 0.5 ? floor + (floor & 1) : Math.round(scaled);
            return Math.max(-128, Math.min(127, even));
          });
          expect(weight.intRepr).toEqual(wanted);
          const sparse = quantizeWeightToCsr(tensor('float32', [rows, columns], values), { perChannel });
          expect(sparse.scales).toEqual(scales);
          expect(denseCodes(sparse.weight)).toEqual(wanted);
        }
      },
    ),
    { numRuns: 300 },
  );
});
