import { csrOfRows, DEFAULT_LIMITS, type EncodedPiece, type NamedTensor, type TensorData, tensor } from '@prune/core';
import { expect, test } from 'vitest';
import { blockBytes, prunedMatrix, randomOf } from './csr.fixture.js';
import { encodeCsr } from './encode-csr.js';
import { entropyCodec } from './entropy-codec.js';
import { openCsr } from './open-csr.js';

const codec = entropyCodec();

function named(name: string, ...args: Parameters<typeof tensor>): NamedTensor {
  return { name, ...tensor(...args) };
}

function triple(module = 'a.query', matrix = prunedMatrix(60, 70, 0.2, 1)): NamedTensor[] {
  const at = `${module}._packed_params.weight.int_repr`;
  return [
    named(`${at}.data`, 'int8', [matrix.data.length], matrix.data as TensorData),
    named(`${at}.indptr`, 'int32', [matrix.indptr.length], matrix.indptr as TensorData),
    named(
      `${at}.indices`,
      matrix.indices instanceof Uint16Array ? 'uint16' : 'int32',
      [matrix.indices.length],
      matrix.indices as TensorData,
    ),
  ];
}

async function roundTrip(tensors: NamedTensor[]): Promise<number> {
  const bytes = blockBytes(await codec.encode(tensors));
  const infos = tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const back = await codec.decode(bytes, infos, DEFAULT_LIMITS);
  expect(back).toEqual(tensors.map(({ dtype, shape, data }) => ({ dtype, shape, data })));
  return bytes.length;
}

test('tiny tensors, strings of integers and scalars are left to the manifest or to the next codec', () => {
  expect(codec.group?.({ name: 'a.scale', dtype: 'float32', shape: [] })).toBeUndefined();
  expect(codec.group?.({ name: 'a.bias', dtype: 'float32', shape: [0] })).toBeUndefined();
  expect(codec.group?.({ name: 'a.weight.scale', dtype: 'float64', shape: [768] })).toBeUndefined();
  expect(codec.group?.({ name: 'a.int_repr.shape', dtype: 'int64', shape: [2] })).toBeUndefined();
  expect(codec.group?.({ name: 'a.int_repr.data', dtype: 'float64', shape: [99] })).toBeUndefined();
  expect(codec.group?.({ name: 'a.bias', dtype: 'float32', shape: [64] })).toEqual({ key: 'a.bias', size: 1 });
});

test('a triple is one group, whatever order its tensors come in', async () => {
  const tensors = triple();
  expect(new Set(tensors.map((info) => JSON.stringify(codec.group?.(info)))).size).toBe(1);
  expect(codec.group?.(tensors[0])?.size).toBe(3);
  const raw = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
  expect(await roundTrip(tensors)).toBeLessThan(0.7 * raw);
  await roundTrip([tensors[2], tensors[0], tensors[1]]);
});

test('a report can say what bytes are columns and what are values', async () => {
  const tensors = triple();
  const pieces = (await codec.encode(tensors)) as EncodedPiece[];
  const stream = openCsr(blockBytes(pieces));
  const sizeOf = (which: number) =>
    pieces.filter(({ tensor: of }) => of === which).reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(sizeOf(0)).toBe(stream.blocks.reduce((sum, { valueBytes }) => sum + valueBytes, 0));
  expect(sizeOf(2)).toBe(stream.blocks.reduce((sum, { maskBytes }) => sum + maskBytes, 0));
  expect(sizeOf(1)).toBeGreaterThan(stream.modelBytes);
});

test('rows of a triple are its arrays; a block of something else has none', async () => {
  for (const [matrix, columns] of [
    [prunedMatrix(700, 300, 0.3, 5), 300],
    [prunedMatrix(2, 300, 0, 5), 0],
    [prunedMatrix(4, 70_000, 0.02, 3), undefined],
  ] as const) {
    const tensors = triple('m', matrix);
    const bytes = blockBytes((await codec.encode(tensors)) ?? encodeCsr(matrix));
    const rows = codec.rows?.(bytes, tensors, DEFAULT_LIMITS);
    if (rows === undefined) throw new Error('no rows');
    if (columns !== undefined) expect(rows.shape[1]).toBeLessThanOrEqual(columns);
    const { indptr, indices, data } = csrOfRows(rows);
    expect([indptr, [...indices], data]).toEqual([matrix.indptr, [...matrix.indices], matrix.data]);
    // As often as it is asked.
    expect(csrOfRows(rows).data).toEqual(data);
  }
  const bias = named(
    'a.bias',
    'float32',
    [256],
    new Float32Array(256).map((_, i) => i),
  );
  expect(codec.rows?.(blockBytes(await codec.encode([bias])), [bias], DEFAULT_LIMITS)).toBeUndefined();
});

test('rows that are not the declared ones are refused, and so are damaged ones', async () => {
  const tensors = triple('m', prunedMatrix(700, 300, 0.3, 5));
  const bytes = blockBytes(await codec.encode(tensors));
  const [data, indptr, indices] = tensors;
  const corrupt = expect.objectContaining({ code: 'corrupt' });
  for (const infos of [
    [data, { ...indptr, shape: [700] }, indices],
    [{ ...data, shape: [data.shape[0] + 1] }, indptr, indices],
    [data, indptr, { ...indices, shape: [1] }],
  ]) {
    expect(() => codec.rows?.(bytes, infos, DEFAULT_LIMITS)).toThrow(corrupt);
  }
  const damaged = bytes.slice();
  damaged[bytes.length - 100] ^= 255;
  expect(() => codec.rows?.(damaged, tensors, DEFAULT_LIMITS)?.forEachRow(() => {})).toThrow(corrupt);
});

test('int32 indices stay int32', async () => {
  const tensors = triple();
  await roundTrip([
    tensors[0],
    tensors[1],
    { ...tensors[2], dtype: 'int32', data: Int32Array.from(tensors[2].data as Uint16Array) },
  ]);
});

test('a matrix of more columns than a model takes is handed on; as a plain one it is read', async () => {
  const matrix = prunedMatrix(4, 70_000, 0.02, 3);
  const tensors = triple('wide', matrix);
  expect(await codec.encode(tensors)).toBeUndefined();
  const back = await codec.decode(encodeCsr(matrix), tensors, DEFAULT_LIMITS);
  expect(back).toEqual(tensors.map(({ dtype, shape, data }) => ({ dtype, shape, data })));
});

test('what is no CSR matrix is handed on, not refused', async () => {
  const [data, indptr, indices] = triple();
  const descending = { ...indices, data: Uint16Array.from(indices.data as Uint16Array).reverse() };
  expect(await codec.encode([data, indptr, descending])).toBeUndefined();
  expect(await codec.encode([data, indptr])).toBeUndefined();
  expect(await codec.encode([{ ...data, data: new Int8Array(data.data.length) }, indptr, indices])).toBeUndefined();
  expect(await codec.encode([data, { ...indptr, shape: [0], data: new Int32Array(0) }, indices])).toBeUndefined();
  const negative = Int32Array.from(indices.data as Uint16Array);
  negative[0] = -1;
  expect(await codec.encode([data, indptr, { ...indices, dtype: 'int32', data: negative }])).toBeUndefined();
});

test('an embedding table and its scales', async () => {
  const random = randomOf(5);
  const at = 'bert.embeddings.word_embeddings._packed_params._packed_weight';
  const scale = Float32Array.from({ length: 100 }, () => 0.01 * random());
  const zeroPoint = Float32Array.from({ length: 100 }, () => 128 * random());
  const codes = Uint8Array.from({ length: 100 * 32 }, () => 128 + 30 * (random() + random() + random() - 1.5));
  const tensors = [
    named(`${at}.scale`, 'float32', [100], scale),
    named(`${at}.zero_point`, 'float32', [100], zeroPoint),
    named(`${at}.int_repr`, 'uint8', [100, 32], codes),
  ];
  expect(codec.group?.(tensors[0])).toEqual(codec.group?.(tensors[2]));
  await roundTrip(tensors);
  expect(await codec.encode([tensors[0], { ...tensors[1], shape: [100, 1] }, tensors[2]])).toBeUndefined();
});

test('infos that do not fit the bytes are corrupt', async () => {
  const tensors = triple();
  const bytes = blockBytes(await codec.encode(tensors));
  const shapes: [number, number[]][] = [
    [0, [tensors[0].data.length + 1]],
    [1, [tensors[1].data.length - 1]],
    [2, [tensors[2].data.length - 1]],
  ];
  for (const [which, shape] of shapes) {
    const infos = tensors.map((info, i) => (i === which ? { ...info, shape } : info));
    await expect(async () => codec.decode(bytes, infos, DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'corrupt' });
  }
  await expect(async () => codec.decode(bytes, [], DEFAULT_LIMITS)).rejects.toMatchObject({ code: 'corrupt' });
  await expect(async () => codec.decode(bytes, tensors, { ...DEFAULT_LIMITS, tensorBytes: 100 })).rejects.toMatchObject(
    {
      code: 'limit',
    },
  );
});
