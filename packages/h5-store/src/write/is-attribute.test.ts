import { type Elementary, firstDifference, scalar, tensor, writeStore } from '@prune/core';
import * as h5wasm from 'h5wasm';
import { expect, test } from 'vitest';
import { createH5Store } from '../create-h5-store.js';
import { openH5Store } from '../open-h5-store.js';
import { isAttribute } from './is-attribute.js';

const M = 'm._packed_params';

/** Matrices whose arrays have one element, or none. `indptr` has one element more than the matrix has rows. */
const MATRICES: Record<string, { shape: [rows: number, columns: number]; nonzeros: number }> = {
  'no rows': { shape: [0, 3], nonzeros: 0 },
  'no columns': { shape: [1, 0], nonzeros: 0 },
  'no nonzeros': { shape: [2, 3], nonzeros: 0 },
  'one nonzero': { shape: [2, 3], nonzeros: 1 },
  'one row, one nonzero': { shape: [1, 3], nonzeros: 1 },
  'one column, one nonzero': { shape: [3, 1], nonzeros: 1 },
  'one cell': { shape: [1, 1], nonzeros: 1 },
  'one row, many nonzeros': { shape: [1, 3], nonzeros: 3 },
};

function partsOf({ shape: [rows, columns], nonzeros }: (typeof MATRICES)[string]): Map<string, Elementary> {
  const indptr = new Int32Array(rows + 1).fill(nonzeros, 1);
  return new Map<string, Elementary>([
    ['m.scale', scalar('float32', 1)],
    ['m.zero_point', scalar('int64', 0n)],
    [`${M}.dtype`, 'qint8'],
    [`${M}.weight.scale`, scalar('float64', 0.5)],
    [`${M}.weight.zero_point`, scalar('int64', 0n)],
    [`${M}.weight.int_repr.data`, tensor('int8', [nonzeros], new Int8Array(nonzeros).fill(5))],
    [`${M}.weight.int_repr.indptr`, tensor('int32', [rows + 1], indptr)],
    [
      `${M}.weight.int_repr.indices`,
      tensor(
        'uint16',
        [nonzeros],
        Uint16Array.from({ length: nonzeros }, (_, i) => i),
      ),
    ],
    [`${M}.weight.int_repr.shape`, tensor('int64', [2], BigInt64Array.of(BigInt(rows), BigInt(columns)))],
    [`${M}.bias`, tensor('float32', [rows], new Float32Array(rows).fill(0.25))],
  ]);
}

async function fileOf(entries: ReadonlyMap<string, Elementary>): Promise<Uint8Array> {
  const writer = await createH5Store();
  await writeStore(writer, entries, {});
  return writer.bytes();
}

/** What HDF5's own library finds in the root group. */
async function placesIn(bytes: Uint8Array): Promise<{ attributes: string[]; datasets: string[] }> {
  const { FS } = await h5wasm.ready;
  (FS as FS.FileSystemType).writeFile('/places.h5', bytes);
  const file = new h5wasm.File('/places.h5', 'r');
  const places = { attributes: Object.keys(file.attrs).sort(), datasets: file.keys().sort() };
  file.close();
  (FS as FS.FileSystemType).unlink('/places.h5');
  return places;
}

test.each(Object.keys(MATRICES))('%s: the arrays of the matrix are datasets, its numbers attributes', async (name) => {
  const entries = partsOf(MATRICES[name]);
  const bytes = await fileOf(entries);
  const bias = `${M}.bias`;
  const biasIsOneNumber = MATRICES[name].shape[0] === 1;
  const arrays = ['data', 'indices', 'indptr'].map((part) => `${M}.weight.int_repr.${part}`);
  const numbers = ['dtype', 'weight.int_repr.shape', 'weight.scale', 'weight.zero_point'].map((part) => `${M}.${part}`);
  expect(await placesIn(bytes)).toEqual({
    attributes: [...(biasIsOneNumber ? [bias] : []), ...numbers, 'm.scale', 'm.zero_point'],
    datasets: [...(biasIsOneNumber ? [] : [bias]), ...arrays],
  });
  const store = await openH5Store(h5wasm, bytes);
  expect(await firstDifference(entries, store)).toBeUndefined();
  await store.close();
});

test.each<[name: string, shape: number[], attribute: boolean]>([
  ['scalar', [], true],
  ['vector', [1], true],
  ['classifier.weight', [1, 1], true],
  ['vector', [2], false],
  ['empty', [0], false],
  ['empty', [1, 0], false],
  [`${M}._packed_weight.int_repr`, [1, 1], true],
  ['m.int_repr.shape', [2], true],
  ['m.int_repr.shape', [9], false],
  ['m.int_repr.indptr', [1], false],
  ['m.int_repr.data', [], false],
  // Only whole components of a name count.
  ['m.int_repr.data.scale', [], true],
  ['m.int_repr_data', [1], true],
])('%s of shape %j: attribute %j', (name, shape, attribute) => {
  expect(isAttribute(name, { dtype: 'float32', shape })).toBe(attribute);
});

test('an array of one element is read from an attribute, too', async () => {
  const entries = partsOf(MATRICES['one cell']);
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File('/attributes.h5', 'w', { libver: ['earliest', 'v200'] });
  const types = { int8: '<b', uint16: '<H', int32: '<i', int64: '<q', float32: '<f', float64: '<d' };
  for (const [name, value] of entries) {
    if (typeof value === 'string') file.create_attribute(name, value);
    else if (name.endsWith('.indptr')) file.create_dataset({ name, data: value.data, shape: [2], dtype: '<i' });
    else file.create_attribute(name, value.data, [...value.shape], types[value.dtype as keyof typeof types]);
  }
  file.close();
  const bytes = (FS as FS.FileSystemType).readFile('/attributes.h5');
  (FS as FS.FileSystemType).unlink('/attributes.h5');
  expect((await placesIn(bytes)).attributes).toContain(`${M}.weight.int_repr.data`);
  // HDF5 is not there to fall back on: the own reader knows this form.
  const store = await openH5Store(() => {
    throw new Error('HDF5 was asked');
  }, bytes);
  expect(await firstDifference(entries, store)).toBeUndefined();
  await store.close();
});
