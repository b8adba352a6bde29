import { DEFAULT_LIMITS, type NamedTensor, Pacer, tensor, tensorBytes } from '@prune/core';
import { afterEach, expect, test, vi } from 'vitest';
import { blockBytes, randomOf } from './csr.fixture.js';
import { entropyCodec } from './entropy-codec.js';

// Times would depend on the machine, so this counts looks at the clock: at least one for every so many elements.
const ROWS = 1100;
const WIDTH = 256;
/** Elements that may pass between two looks. A pair of blocks of the preset `max` has some 131,072 nonzeros. */
const DENSE = 2 ** 16;
const SPARSE = 2 ** 18;

const random = randomOf(1);
const gaussian = () => random() + random() + random() + random() - 2;
const floats = (of: () => number): NamedTensor => {
  const data = Float32Array.from({ length: ROWS * WIDTH }, of);
  return { name: 'x', ...tensor('float32', [ROWS, WIDTH], data) };
};
const codes = (most: number): NamedTensor[] => {
  const at = 'e._packed_params._packed_weight';
  const minimum = Array.from({ length: ROWS }, () => Math.floor(-100 * random()) / 64);
  const scale = Float32Array.from({ length: ROWS }, (_, r) => (100 + (r % 50)) / 64 / most);
  const zeroPoint = Float32Array.from(scale, (s, r) => -minimum[r] / s);
  const code = (r: number) => Math.max(0, Math.min(most, Math.round(zeroPoint[r] + 3 * gaussian())));
  const of = most === 15 ? (r: number) => 16 * code(r) + code(r) : code;
  const intRepr = Uint8Array.from({ length: ROWS * WIDTH }, (_, i) => of(Math.floor(i / WIDTH)));
  return [
    { name: `${at}.scale`, ...tensor('float32', [ROWS], scale) },
    { name: `${at}.zero_point`, ...tensor('float32', [ROWS], zeroPoint) },
    { name: `${at}.int_repr`, ...tensor('uint8', [ROWS, WIDTH], intRepr) },
  ];
};
const sparse = (): NamedTensor[] => {
  const at = 'l._packed_params._packed_params.weight.int_repr';
  const indptr = new Int32Array(ROWS + 1);
  const columns: number[] = [];
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < WIDTH; column++) if (random() < 0.95) columns.push(column);
    indptr[row + 1] = columns.length;
  }
  const data = Int8Array.from(columns, () => 1 + Math.floor(100 * random()));
  return [
    { name: `${at}.data`, ...tensor('int8', [columns.length], data) },
    { name: `${at}.indices`, ...tensor('uint16', [columns.length], Uint16Array.from(columns)) },
    { name: `${at}.indptr`, ...tensor('int32', [ROWS + 1], indptr) },
  ];
};

afterEach(() => vi.restoreAllMocks());

/** Passes over all elements: of coding and of decoding. */
interface Passes {
  readonly coding: number;
  readonly decoding: number;
}

test.each<[string, Passes, number, () => NamedTensor[]]>([
  // Coding looks for a grid and for halves, rotates the bits, and gathers, counts and codes each of four planes.
  // Decoding decodes or copies each plane and spreads it, and rotates the bits.
  ['planes', { coding: 15, decoding: 6 }, DENSE, () => [floats(gaussian)]],
  [
    'halves',
    { coding: 8, decoding: 4 },
    DENSE,
    () => [floats(() => Math.round(1024 + 1023 * random()) * 2 ** (-12 - Math.floor(8 * random())))],
  ],
  ['grid', { coding: 8, decoding: 3 }, DENSE, () => [floats(() => Math.round(40 * gaussian()) / 256 + 0)]],
  ['codes of 8 bits', { coding: 6, decoding: 2 }, DENSE, () => codes(255)],
  ['codes of 4 bits', { coding: 6, decoding: 2 }, DENSE, () => codes(15)],
  ['matrix', { coding: 4, decoding: 1 }, SPARSE, sparse],
])('%s: a look at the clock before every block of every pass', async (_, passes, most, make) => {
  const tensors = make();
  const pause = vi.spyOn(Pacer.prototype, 'pause').mockResolvedValue();
  const elements = Math.max(...tensors.map(({ data }) => data.length));
  const blocks = Math.ceil(elements / most);
  const bytes = blockBytes(await entropyCodec({ preset: 'max' }).encode(tensors));
  expect(pause.mock.calls.length).toBeGreaterThanOrEqual(passes.coding * blocks);
  pause.mockClear();
  const infos = tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const back = await entropyCodec().decode(bytes, infos, DEFAULT_LIMITS);
  for (const [i, given] of tensors.entries()) {
    expect(Buffer.compare(tensorBytes(back[i]), tensorBytes(given))).toBe(0);
  }
  expect(pause.mock.calls.length).toBeGreaterThanOrEqual(passes.decoding * blocks);
});
