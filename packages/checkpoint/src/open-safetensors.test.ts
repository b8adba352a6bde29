import { DEFAULT_LIMITS } from '@prune/core';
import { expect, test } from 'vitest';
import { makeSafetensors } from '../test/make-safetensors.js';
import { openSafetensors } from './open-safetensors.js';

const F32 = (shape: number[], begin: number, end: number) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });
const bytes = (count: number) => new Uint8Array(count);

test('no tensors', async () => {
  const checkpoint = await openSafetensors(makeSafetensors('{}'));
  expect([...checkpoint.keys()]).toEqual([]);
  expect(checkpoint.info('a')).toBeUndefined();
  expect(await checkpoint.get('toString')).toBeUndefined();
  await checkpoint.close();
});

test('empty, 0-rank, padded, escaped and every dtype', async () => {
  const dtypes = { BOOL: 1, U8: 1, I8: 1, U16: 2, I16: 2, U32: 4, I32: 4, I64: 8, F16: 2, BF16: 2, F32: 4, F64: 8 };
  const header: Record<string, object> = { __metadata__: { format: 'pt', note: '"}{' } };
  let at = 0;
  for (const [dtype, width] of Object.entries(dtypes)) {
    header[dtype] = { dtype, shape: [3], data_offsets: [at, at + 3 * width] };
    at += 3 * width;
  }
  header['n\\"é\n'] = F32([], at, at + 4);
  at += 4;
  header.empty = F32([0, 7], at, at);
  const file = makeSafetensors(`${JSON.stringify(header)}   `, bytes(at));
  new DataView(file.buffer).setFloat32(file.length - 4, 1.5, true);
  const checkpoint = await openSafetensors(file);
  expect([...checkpoint.keys()]).toEqual([...Object.keys(dtypes), 'n\\"é\n', 'empty']);
  expect(await checkpoint.get('n\\"é\n')).toEqual({ dtype: 'float32', shape: [], data: Float32Array.of(1.5) });
  expect(await checkpoint.get('empty')).toEqual({ dtype: 'float32', shape: [0, 7], data: new Float32Array(0) });
  expect(await checkpoint.get('BF16')).toEqual({ dtype: 'bfloat16', shape: [3], data: new Uint16Array(3) });
});

test('each read asks for its own range only', async () => {
  const file = makeSafetensors({ a: F32([2], 0, 8), b: F32([3], 8, 20) }, bytes(20));
  const reads: number[] = [];
  let closed = 0;
  const checkpoint = await openSafetensors({
    size: file.length,
    read: async (offset, length) => {
      reads.push(length);
      return file.subarray(offset, offset + length);
    },
    close: async () => void closed++,
  });
  reads.length = 0;
  await checkpoint.get('b');
  expect(reads).toEqual([12]);
  await checkpoint.close();
  expect(closed).toBe(1);
});

const a = '"dtype":"F32","shape":[1],"data_offsets":[0,4]';
const cases: Record<string, [code: string, file: Uint8Array]> = {
  'no bytes': ['truncated', bytes(0)],
  'header past the end': ['truncated', makeSafetensors('{}').subarray(0, 9)],
  'header of 2^60 bytes': ['limit', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 16, 0x7b, 0x7d)],
  'not an object': ['corrupt', makeSafetensors('[]')],
  'leading space': ['corrupt', makeSafetensors(' {}')],
  'not UTF-8': ['corrupt', makeSafetensors('{"a').fill(0xff, 10)],
  'text after the object': ['corrupt', makeSafetensors('{} x')],
  'brackets without end': ['corrupt', makeSafetensors(`{"a":${'['.repeat(1e6)}`)],
  'data cut': ['truncated', makeSafetensors({ a: F32([2], 0, 8) }, bytes(7))],
  'bytes after the data': ['corrupt', makeSafetensors({ a: F32([2], 0, 8) }, bytes(9))],
  'hole at the start': ['corrupt', makeSafetensors({ a: F32([1], 4, 8) }, bytes(8))],
  'hole between': ['corrupt', makeSafetensors({ a: F32([1], 0, 4), b: F32([1], 8, 12) }, bytes(12))],
  overlap: ['corrupt', makeSafetensors({ a: F32([2], 0, 8), b: F32([1], 4, 8) }, bytes(8))],
  'same range twice': ['corrupt', makeSafetensors({ a: F32([1], 0, 4), b: F32([1], 0, 4) }, bytes(4))],
  'duplicate name': ['corrupt', makeSafetensors(`{"a":{${a}},"a":{${a}}}`, bytes(4))],
  'duplicate name, escaped': ['corrupt', makeSafetensors(`{"a":{${a}},"\\u0061":{${a}}}`, bytes(4))],
  'metadata twice': ['corrupt', makeSafetensors('{"__metadata__":{},"__metadata__":{}}')],
  'a long name': ['limit', makeSafetensors(`{"${'n'.repeat(1025)}":{${a}}}`, bytes(4))],
  'a long name without a value': ['limit', makeSafetensors(`{"${'n'.repeat(1e6)}":0}`)],
  '__proto__ twice': ['corrupt', makeSafetensors(`{"__proto__":{${a}},"__proto__":{${a}}}`, bytes(4))],
  'duplicate field': ['corrupt', makeSafetensors(`{"a":{${a},"dtype":"F32"}}`, bytes(4))],
  'missing field': ['corrupt', makeSafetensors('{"a":{"dtype":"F32","shape":[1]}}', bytes(4))],
  'negative dimension': ['corrupt', makeSafetensors({ a: F32([-1], 0, 4) }, bytes(4))],
  'fraction for a dimension': ['corrupt', makeSafetensors({ a: F32([1.5], 0, 6) }, bytes(6))],
  'exponent for a dimension': ['corrupt', makeSafetensors('{"a":{"dtype":"F32","shape":[1e9]}}')],
  'dimension of 2^60': ['corrupt', makeSafetensors(`{"a":{"dtype":"I8","shape":[${2n ** 60n}],"data_offsets":[0,0]}}`)],
  'absurd shape': ['limit', makeSafetensors({ a: F32([2 ** 31, 2 ** 31], 0, 4) }, bytes(4))],
  'nine dimensions': ['limit', makeSafetensors({ a: F32(new Array(9).fill(1), 0, 4) }, bytes(4))],
  'shape against range': ['corrupt', makeSafetensors({ a: F32([2], 0, 4) }, bytes(4))],
  'range backwards': ['corrupt', makeSafetensors({ a: F32([1], 4, 0) }, bytes(4))],
  'unknown dtype': [
    'unsupported',
    makeSafetensors({ a: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 1] } }, bytes(1)),
  ],
  'an unknown field that is nested too deeply': [
    'limit',
    makeSafetensors(`{"a":{${a},"x":${'['.repeat(66)}${']'.repeat(66)}}}`, bytes(4)),
  ],
  'an unknown field without a value': ['corrupt', makeSafetensors(`{"a":{${a},"x":}}`, bytes(4))],
  'an unknown field of another language': ['corrupt', makeSafetensors(`{"a":{${a},"x":None}}`, bytes(4))],
  'nothing for an entry': ['corrupt', makeSafetensors('{"a":null}')],
  'metadata null, then metadata': ['corrupt', makeSafetensors('{"__metadata__":null,"__metadata__":{}}')],
  'metadata that is no string': ['corrupt', makeSafetensors('{"__metadata__":{"format":1}}')],
};

test.each(Object.entries(cases))('refused: %s', async (_, [code, file]) => {
  await expect(openSafetensors(file, { name: 'x.safetensors' })).rejects.toMatchObject({
    code,
    where: 'x.safetensors',
  });
});

test('fields that we do not know, and no metadata, as the safetensors library reads them', async () => {
  const values = [
    '1',
    '-1.5e3',
    'true',
    'null',
    '"t\\""',
    '[]',
    '{}',
    '[1, {"x": [null, "]"]}, false]',
    '{"a": {}, "b": 0}',
  ];
  const fields = values.map((value, i) => `"x${i}": ${value} `).join(',');
  const file = makeSafetensors(
    `{"__metadata__": null, "a":{${fields},${a}}, "b":{"dtype":"U8","shape":[0],"data_offsets":[4,4],"crc":7}}`,
    bytes(4),
  );
  const checkpoint = await openSafetensors(file);
  expect([...checkpoint.keys()]).toEqual(['a', 'b']);
  expect(await checkpoint.get('a')).toMatchObject({ dtype: 'float32' });
});

test('a tensor named __proto__ is a tensor', async () => {
  const checkpoint = await openSafetensors(makeSafetensors(`{"__proto__":{${a}}}`, bytes(4)));
  expect([...checkpoint.keys()]).toEqual(['__proto__']);
  expect(await checkpoint.get('__proto__')).toMatchObject({ dtype: 'float32' });
});

test('what a file says is cut short in a message', async () => {
  const long = 'x'.repeat(1e6);
  for (const header of [
    `{"a":{${a},"${long}":x}}`,
    `{"a":{"dtype":"${long}","shape":[1],"data_offsets":[0,4]}}`,
    `{"__metadata__":{"${long}":"","${long}":""}}`,
  ]) {
    const error = await openSafetensors(makeSafetensors(header, bytes(4))).catch((error) => error);
    expect(error.message.length).toBeLessThan(400);
  }
});

test('limits come from the caller, and the source is closed when opening fails', async () => {
  const file = makeSafetensors({ a: F32([1], 0, 4), b: F32([1], 4, 8) }, bytes(8));
  await expect(openSafetensors(file, { limits: { ...DEFAULT_LIMITS, tensors: 1 } })).rejects.toMatchObject({
    code: 'limit',
  });
  let closed = 0;
  const source = {
    size: 4,
    read: async () => bytes(4),
    close: async () => void closed++,
  };
  await expect(openSafetensors(source)).rejects.toMatchObject({ code: 'truncated' });
  expect(closed).toBe(1);
});
