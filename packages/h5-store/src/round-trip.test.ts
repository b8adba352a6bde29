import {
  DTYPES,
  type Dtype,
  type Elementary,
  firstDifference,
  scalar,
  type Tensor,
  tensor,
  writeStore,
} from '@prune/core';
import fc from 'fast-check';
import * as h5wasm from 'h5wasm';
import { expect, test } from 'vitest';
import { openHdf5 } from '../test/open-hdf5.js';
import { createH5Store } from './create-h5-store.js';
import { openH5Store } from './open-h5-store.js';
import type { H5WriteOptions } from './write/defaults.js';

async function write(entries: Iterable<[string, Elementary]>, options: H5WriteOptions = {}): Promise<Uint8Array> {
  const writer = await createH5Store(options);
  await writeStore(writer, entries, {});
  return writer.bytes();
}

async function expectRoundTrip(
  entries: ReadonlyMap<string, Elementary>,
  options: H5WriteOptions = {},
): Promise<Uint8Array> {
  const bytes = await write(entries, options);
  for (const store of [await openH5Store(h5wasm, bytes), await openHdf5(bytes)]) {
    expect(await firstDifference(entries, store)).toBeUndefined();
    await store.close();
  }
  return bytes;
}

/** Bytes that do not compress. */
function noise(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  });
}

test('no entries', async () => {
  const store = await openH5Store(h5wasm, await write([]));
  expect([...store.keys()]).toEqual([]);
  expect(store.info('x')).toBeUndefined();
  expect(await store.get('x')).toBeUndefined();
  await store.close();
});

test('empty tensors, tensors of one element of every rank, strings', async () => {
  await expectRoundTrip(
    new Map<string, Elementary>([
      ['e0', tensor('int8', [0], new Int8Array())],
      ['e1', tensor('float32', [0, 768], new Float32Array())],
      ['e2', tensor('int64', [3, 0, 2], new BigInt64Array())],
      ['s0', scalar('float64', Number.NaN)],
      ['s1', tensor('int64', [1], BigInt64Array.of(-(2n ** 63n)))],
      ['s2', tensor('float32', [1, 1], Float32Array.of(-0))],
      ['l.int_repr.shape', tensor('int64', [2], BigInt64Array.of(768n, 3072n))],
      ['d0.int_repr.data', scalar('int8', 5)],
      ['d1.int_repr.indices', tensor('uint16', [1], Uint16Array.of(65535))],
      ['t0', ''],
      ['t1', 'qint8'],
      ['t2', 'ein längerer Text: 💡'.repeat(5000)],
    ]),
  );
});

test('one byte of difference in chunking: odd shapes, many chunks, deep indexes, views with an offset', async () => {
  const shapes = [[2], [7], [4, 5], [3, 1, 5], [1, 64], [64, 1], [127], [13, 11], [2, 3, 5, 7]];
  for (const chunkBytes of [1, 64, 1 << 20]) {
    const entries = new Map<string, Elementary>();
    for (const [i, shape] of shapes.entries()) {
      const count = shape.reduce((a, b) => a * b, 1);
      const view = new Float32Array(count + 3).subarray(3).map((_, j) => j % 3);
      entries.set(`f${i}`, tensor('float32', shape, view));
      entries.set(`h${i}`, tensor('uint16', shape, new Uint16Array(count).fill(i)));
    }
    for (const shuffle of [true, false]) await expectRoundTrip(entries, { chunkBytes, shuffle });
  }
});

test('what does not compress is stored as it is, and level 0 stores everything so', async () => {
  const entries = new Map<string, Elementary>([
    ['noise', tensor('uint8', [5000], noise(5000))],
    ['zeros', tensor('uint8', [5000], new Uint8Array(5000))],
  ]);
  const packed = await openH5Store(h5wasm, await expectRoundTrip(entries));
  expect(packed.info('noise')).toMatchObject({ codec: 'raw', storedBytes: 5000 });
  expect(packed.info('zeros')).toMatchObject({ codec: 'gzip' });
  expect(packed.info('zeros')?.storedBytes).toBeLessThan(50);
  await packed.close();
  const plain = await openH5Store(h5wasm, await expectRoundTrip(entries, { level: 0 }));
  expect(plain.info('zeros')).toMatchObject({ codec: 'raw', storedBytes: 5000 });
  await plain.close();
});

test('any entries, of every dtype that HDF5 has', async () => {
  const dtypes = (Object.keys(DTYPES) as Dtype[]).filter((dtype) => dtype !== 'bfloat16');
  const anyTensor = fc
    .tuple(fc.constantFrom(...dtypes), fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4 }), fc.integer())
    .map(([dtype, shape, seed]): Tensor => {
      const count = shape.reduce((a, b) => a * b, 1);
      const { array, bytes } = DTYPES[dtype];
      const raw = noise(count * bytes, seed);
      if (dtype === 'bool')
        raw.forEach((value, i) => {
          raw[i] = value & 1;
        });
      return tensor(dtype, shape, new array(raw.buffer));
    });
  const anyString = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''));
  const anyName = fc.string({ minLength: 1 }).filter((name) => !/[/\0]/.test(name) && name !== '.');
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(anyName, fc.oneof(anyTensor, anyString), { maxKeys: 6, noNullPrototype: true }),
      fc.record({ chunkBytes: fc.integer({ min: 1, max: 300 }), level: fc.integer({ min: 0, max: 9 }) }),
      async (entries, options) => {
        await expectRoundTrip(new Map(Object.entries(entries)), options);
      },
    ),
    { numRuns: 40 },
  );
});

test('half a surrogate pair has no UTF-8 and is refused, a whole one is kept', async () => {
  await expectRoundTrip(new Map([['💡', '💡']]));
  await expect(write([['a', 'x\ud83d']])).rejects.toMatchObject({ code: 'unsupported', tensor: 'a' });
  await expect(write([['x\udca1', 'a']])).rejects.toMatchObject({ code: 'unsupported' });
});

test('the same entries give the same bytes, at another time too', async () => {
  const entries: [string, Elementary][] = [
    ['a', 'qint8'],
    ['b', tensor('float32', [1000], new Float32Array(1000).fill(0.5))],
  ];
  const first = await write(entries);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(await write(entries)).toEqual(first);
});

test('a thousand names come back in natural order', async () => {
  const entries = new Map<string, Elementary>();
  for (let i = 0; i < 1000; i++)
    entries.set(`layer.${i}`, i % 2 ? 'x' : tensor('uint8', [2], Uint8Array.of(i & 255, i >> 8)));
  const store = await openH5Store(h5wasm, await expectRoundTrip(entries));
  expect([...store.keys()]).toEqual([...entries.keys()]);
  await store.close();
});
