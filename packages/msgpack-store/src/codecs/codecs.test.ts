import {
  type Codec,
  DEFAULT_LIMITS,
  DTYPES,
  type Dtype,
  type EncodedBlock,
  type NamedTensor,
  tensor,
  tensorBytes,
  tensorFromBytes,
} from '@prune/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codecList, type MsgpackCodecName } from './codec-list.js';
import { csrGzip } from './csr-gzip.js';
import { gzip } from './gzip.js';
import { planesGzip } from './planes-gzip.js';
import { raw } from './raw.js';

async function bytesOf(encoded: EncodedBlock | undefined): Promise<Uint8Array> {
  if (encoded === undefined) throw new Error('declined');
  if (encoded instanceof Uint8Array) return encoded.slice();
  const pieces: Uint8Array[] = [];
  for await (const { bytes } of encoded) pieces.push(bytes.slice());
  return Uint8Array.from(Buffer.concat(pieces));
}

async function roundTrip(codec: Codec, tensors: readonly NamedTensor[]) {
  return codec.decode(await bytesOf(await codec.encode(tensors)), tensors, DEFAULT_LIMITS);
}

/** A matrix as the three arrays, from the columns and values of each row. */
function csr(rows: readonly (readonly [column: number, value: number][])[], wide = false): NamedTensor[] {
  const flat = rows.flat();
  const indptr = Int32Array.from([0, ...rows.map(() => 0)]);
  for (const [row, entries] of rows.entries()) indptr[row + 1] = indptr[row] + entries.length;
  const columns = flat.map(([column]) => column);
  return [
    { name: 'm.data', ...tensor('int8', [flat.length], Int8Array.from(flat.map(([, value]) => value))) },
    { name: 'm.indptr', ...tensor('int32', [indptr.length], indptr) },
    wide
      ? { name: 'm.indices', ...tensor('int32', [columns.length], Int32Array.from(columns)) }
      : { name: 'm.indices', ...tensor('uint16', [columns.length], Uint16Array.from(columns)) },
  ];
}

const row = (columns: number) =>
  fc
    .uniqueArray(fc.nat(columns - 1), { maxLength: 40 })
    .chain((found) =>
      fc.tuple(
        fc.constant(found.sort((a, b) => a - b)),
        fc.array(fc.integer({ min: -128, max: 127 }), { minLength: found.length, maxLength: found.length }),
      ),
    )
    .map(([found, values]) => found.map((column, i): [number, number] => [column, values[i]]));

test.each<[string, readonly (readonly [number, number][])[], boolean]>([
  ['no-rows', [], false],
  ['all-zero', [[], [], []], false],
  ['one-cell', [[[0, -128]]], false],
  [
    'last-uint16-column',
    [Array.from({ length: 65_536 }, (_, i): [number, number] => [i, 1]).filter(([i]) => i % 100 === 35), []],
    false,
  ],
  [
    'gap-of-254-255-256',
    [
      [
        [254, 1],
        [510, 2],
        [767, 3],
      ],
    ],
    false,
  ],
  ['row-of-more-than-127', [Array.from({ length: 300 }, (_, i): [number, number] => [i, i - 150])], false],
  [
    'wide',
    [
      [
        [70_000, 1],
        [70_001, 2],
      ],
      Array.from({ length: 300 }, (_, i): [number, number] => [i, 1]),
    ],
    true,
  ],
])('csr-gzip: %s', async (_case, rows, wide) => {
  const tensors = csr(rows, wide);
  const decoded = await roundTrip(csrGzip(), tensors);
  for (const [i, { dtype, shape, data }] of tensors.entries()) expect(decoded[i]).toEqual({ dtype, shape, data });
});

test('csr-gzip: any matrix, in any order of its arrays', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row(900), { maxLength: 30 }),
      fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
      async (rows, order) => {
        const arrays = csr(rows);
        const tensors = order.map((place) => arrays[place]);
        const decoded = await roundTrip(csrGzip(), tensors);
        for (const [i, { data }] of tensors.entries()) expect(decoded[i].data).toEqual(data);
      },
    ),
    { numRuns: 100 },
  );
});

test.each<[string, (tensors: NamedTensor[]) => NamedTensor[]]>([
  ['columns-descend', ([data, indptr, indices]) => [data, indptr, { ...indices, data: Uint16Array.of(5, 1) }]],
  ['indptr-too-short', ([data, indptr, indices]) => [data, { ...indptr, data: Int32Array.of(0, 1) }, indices]],
  ['indptr-descends', ([data, indptr, indices]) => [data, { ...indptr, data: Int32Array.of(0, 5, 2) }, indices]],
  ['a-part-missing', ([data, indptr]) => [data, indptr]],
  ['too-sparse-for-bytes', () => csr([[[65_535, 1]], []])],
])('csr-gzip declines what is no CSR matrix: %s', async (_case, change) => {
  expect(
    await csrGzip().encode(
      change(
        csr([
          [
            [1, 1],
            [5, 2],
          ],
          [],
        ]),
      ),
    ),
  ).toBeUndefined();
});

test('csr-gzip groups by name, dtype and rank', () => {
  const { group } = csrGzip();
  expect(group?.({ name: 'x.int_repr.data', dtype: 'int8', shape: [0] })).toEqual({ key: 'x.int_repr', size: 3 });
  expect(group?.({ name: 'x.int_repr.indices', dtype: 'int32', shape: [9] })).toEqual({ key: 'x.int_repr', size: 3 });
  expect(group?.({ name: 'x.int_repr.indices', dtype: 'float32', shape: [9] })).toBeUndefined();
  expect(group?.({ name: 'x.int_repr.data', dtype: 'int8', shape: [3, 3] })).toBeUndefined();
  expect(group?.({ name: 'metadata', dtype: 'int8', shape: [3] })).toBeUndefined();
});

const dtypes = Object.keys(DTYPES) as Dtype[];

test('a name that no codec has is an error, not the default', () => {
  expect(() => codecList('zip' as MsgpackCodecName)).toThrow(
    expect.objectContaining({ code: 'invalid-argument', got: 'zip' }),
  );
});

test.each([raw(), gzip(), planesGzip()])('$name: every dtype, odd lengths, offset views', async (codec) => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...dtypes), fc.uint8Array({ maxLength: 700 }), async (dtype, bytes) => {
      const count = Math.floor(bytes.length / DTYPES[dtype].bytes);
      const padded = new Uint8Array(8 + bytes.length);
      padded.set(bytes, 8);
      const view = padded.subarray(8, 8 + count * DTYPES[dtype].bytes);
      const source = { name: 't', ...tensorFromBytes(dtype, [count], view) };
      const [decoded] = await roundTrip(codec, [source]);
      expect(decoded.dtype).toBe(dtype);
      expect(tensorBytes(decoded)).toEqual(tensorBytes(source));
    }),
    { numRuns: 100 },
  );
});

test('byte planes make floats smaller', async () => {
  const values = Float32Array.from({ length: 20_000 }, (_, i) => Math.sin(i * 12.9898) * 0.05);
  const source = [{ name: 't', ...tensor('float32', [values.length], values) }];
  const sizes = await Promise.all(
    [raw(), gzip(), planesGzip()].map(async (c) => (await bytesOf(await c.encode(source))).length),
  );
  expect(sizes[2]).toBeLessThan(0.93 * sizes[1]);
  expect(sizes[1]).toBeLessThan(1.001 * sizes[0]);
});
