import { QUANTIZATION_PROFILES, type Tensor, tensor } from '@prune/core';
import { codeOf } from '@prune/fixtures';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type QuantizeRowBlocksOptions, quantizeRowBlocks } from './quantize-row-blocks.js';
import { type QuantizedWeight, quantizeWeight } from './quantize-weight.js';

const matrix = (columns: number, values: readonly number[]) =>
  tensor('float32', [columns === 0 ? 2 : values.length / columns, columns], Float32Array.from(values));

/** The matrix in blocks of at most `count` rows, views of it. */
function* blocksOf({ shape: [rows, columns], data }: Tensor<'float32'>, count: number) {
  for (let first = 0; first < rows; first += count) {
    const end = Math.min(first + count, rows);
    yield tensor('float32', [end - first, columns], data.subarray(first * columns, end * columns));
  }
}

async function quantized(blocks: () => Iterable<Tensor>, options?: QuantizeRowBlocksOptions) {
  const found: QuantizedWeight[] = [];
  for await (const block of quantizeRowBlocks(blocks, options)) found.push(block);
  return found;
}

test('no block, and blocks without an element', async () => {
  expect(await quantized(() => [])).toEqual([]);
  const empty = matrix(0, []);
  expect(await quantized(() => [empty])).toEqual([quantizeWeight(empty)]);
});

test('blocks of any number of rows: the codes and the scale of the whole, bit for bit, for every profile', async () => {
  const value = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(0, -0, 2 ** -149, -(2 ** -126), 127.5) },
    { weight: 3, arbitrary: fc.float({ min: -(2 ** 127), max: 2 ** 127, noNaN: true }) },
    { weight: 5, arbitrary: fc.float({ min: -4, max: 4, noNaN: true }) },
  );
  const matrices = fc
    .tuple(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1, max: 7 }))
    .chain(([rows, columns]) =>
      fc.array(value, { minLength: rows * columns, maxLength: rows * columns }).map((v) => matrix(columns, v)),
    );
  await fc.assert(
    fc.asyncProperty(
      matrices,
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(undefined, ...QUANTIZATION_PROFILES),
      async (weights, count, profile) => {
        const { weight, qscheme, scales } = quantizeWeight(weights, { profile });
        const blocks = await quantized(() => blocksOf(weights, count), { profile });
        expect(Int8Array.from(blocks.flatMap((block) => [...block.weight.intRepr]))).toEqual(weight.intRepr);
        expect(blocks.map((block) => block.weight.shape)).toEqual([...blocksOf(weights, count)].map((b) => b.shape));
        for (const block of blocks) expect(block).toMatchObject({ qscheme, scales });
      },
    ),
  );
});

test.each([Number.NaN, Number.NEGATIVE_INFINITY])(
  '%d is refused by its place in the matrix, before any code',
  async (bad) => {
    const weights = matrix(2, [1, 2, 3, 4, 5, bad, 7, 8]);
    const codes = quantizeRowBlocks(() => blocksOf(weights, 2), { name: 'decoder' });
    const wanted = { code: 'not-finite', tensor: 'decoder', what: 'element 5 has no int8 code' };
    await expect(codes.next()).rejects.toMatchObject(wanted);
  },
);

test('what is not a float matrix is refused, and so are blocks that change between the two readings', async () => {
  expect(await codeOf(() => quantized(() => [tensor('float32', [3], new Float32Array(3))]))).toBe('mismatch');
  expect(await codeOf(() => quantized(() => [tensor('int8', [1, 1], new Int8Array(1))]))).toBe('unsupported');
  const weights = matrix(1, [1, 2]);
  const once = blocksOf(weights, 1);
  expect(await codeOf(() => quantized(() => once))).toBe('mismatch');
  let scale = 1;
  const growing = () => [matrix(1, [scale++])];
  expect(await codeOf(() => quantized(growing))).toBe('mismatch');
});
