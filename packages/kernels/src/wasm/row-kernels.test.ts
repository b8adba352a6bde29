import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noRelaxedSimd, noVnni } from '../../test/kernels.js';
import { random, randomCsr } from '../../test/random-encoder.js';
import { compileKernels } from './compile-kernels.js';
import { instantiateKernels } from './instantiate-kernels.js';
import { byteOf, ROW_KERNELS, type RowKernelFunction } from './kernel-table.js';
import { LANES } from './layout.js';
import { packLinear } from './pack-linear.js';
import { probeKernels } from './probe-kernels.js';
import { writeConstants } from './write-constants.js';

const FUZZ = Number(process.env.PRUNE_FUZZ ?? 1);
/** What fresh sums begin with. */
const BEGIN = -(2 ** 31);

/** The reference of every row kernel: sums from 2^31 on, plus `shift` for each weight. int32 `[rows][tokens]` */
function sums(dense: Int8Array, columns: number, codes: number[][], shift: number): number[][] {
  return Array.from({ length: dense.length / columns }, (_, row) =>
    codes[0].map((_, token) => {
      let sum = 0;
      for (let k = 0; k < columns; k++) sum += dense[row * columns + k] * (codes[k][token] + shift);
      return (sum + 2 ** 31) | 0;
    }),
  );
}

test('the builds that work here, and those that sum four products at once', async () => {
  expect(await probeKernels('wasm-simd')).toMatchObject({ works: true, dot4: false });
  const relaxed = noRelaxedSimd ? { works: false } : { works: true, dot4: !noVnni };
  expect(await probeKernels('wasm-relaxed')).toMatchObject(relaxed);
  expect(await probeKernels('wasm-wide')).toMatchObject(relaxed);
});

describe.each(ROW_KERNELS.map((kernel) => ({ ...kernel })))('$build $name', (kernel) => {
  const skipped = (kernel.build !== 'wasm-simd' && noRelaxedSimd) || (kernel.form === 'dot4' && noVnni);
  test.skipIf(skipped)('any matrix, the codes at the ends of their range among them', async () => {
    const memory = new WebAssembly.Memory({ initial: 32, maximum: 32767 });
    writeConstants(memory.buffer);
    const exports = instantiateKernels(await compileKernels(kernel.build, false), memory);
    const sum = exports[kernel.name] as unknown as RowKernelFunction;
    const [low, high] = kernel.codes;
    const [headers, tile, out, stream] = [4096, 8192, 65536, 131072];
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(0, 0.1, 0.5, 1),
        fc.integer(),
        (rows, columns, density, seed) => {
          const next = random(seed);
          const weight = randomCsr(next, rows, columns, density, seed % 2 === 0);
          const { stream: bytes } = packLinear(
            { kind: 'linear', weight, scales: Float64Array.of(1), qscheme: 'per_tensor_affine', bias: null },
            { profile: kernel.form === 'split' ? 'qnnpack' : 'fbgemm', dot4: kernel.form === 'dot4' },
          );
          new Uint8Array(memory.buffer).set(bytes, stream);
          const dense = new Int8Array(rows * columns);
          for (let row = 0; row < rows; row++) {
            for (let i = weight.indptr[row]; i < weight.indptr[row + 1]; i++)
              dense[row * columns + weight.indices[i]] = weight.data[i];
          }
          const code = () => (next() < 0.3 ? (next() < 0.5 ? low : high) : low + Math.floor(next() * (high - low + 1)));
          const codes = Array.from({ length: columns }, () => Array.from({ length: kernel.lanes }, code));
          const view = new Uint8Array(memory.buffer, tile, columns * LANES);
          for (let k = 0; k < columns; k++) {
            for (let token = 0; token < kernel.lanes; token++)
              view[k * LANES + byteOf(kernel, token)] = codes[k][token];
          }
          const got = () =>
            Array.from({ length: rows }, (_, row) =>
              Array.from(new Int32Array(memory.buffer, out + 4 * LANES * row, kernel.lanes)),
            );
          const shift = Math.floor(next() * 256) - 128;
          const end = sum(stream, tile, out, rows, true, BEGIN, shift, headers);
          expect(end).toBe(stream + bytes.length);
          const wanted = sums(dense, columns, codes, shift);
          expect(got()).toEqual(wanted);
          // A second block of columns, the same again, adds to the first.
          sum(stream, tile, out, rows, false, BEGIN, shift, headers);
          const products = sums(dense, columns, codes, 0).map((row) => row.map((value) => value ^ 0x80000000));
          expect(got()).toEqual(wanted.map((row, i) => row.map((value, token) => (value + products[i][token]) | 0)));
          const first = new Uint32Array(memory.buffer, headers, rows);
          expect([...first].map((at) => new DataView(memory.buffer).getUint32(at, true)).sort((a, b) => a - b)).toEqual(
            Array.from({ length: rows }, (_, row) => row),
          );
        },
      ),
      { numRuns: 10 * FUZZ },
    );
  });
});
