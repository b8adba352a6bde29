import { PruneError, randomAccess } from '@prune/core';
import { expect, test } from 'vitest';
import { field, joined, varint } from '../../test/make-onnx.js';
import { unpackVarints } from './unpack-varints.js';
import { WireReader } from './wire-reader.js';

async function fieldsOf(bytes: Uint8Array) {
  const found: [number: number, wire: string, value: bigint | number][] = [];
  for await (const { number, wire, integer, begin, end } of new WireReader(randomAccess(bytes), 100).fields({
    begin: 0,
    end: bytes.length,
  })) {
    found.push([number, wire, wire === 'varint' ? integer : end - begin]);
  }
  return found;
}

const codeOf = (bytes: readonly number[]) =>
  fieldsOf(Uint8Array.from(bytes)).then(
    () => 'read',
    (error: PruneError) => error.code,
  );

test('no fields', async () => {
  expect(await fieldsOf(new Uint8Array())).toEqual([]);
});

test('every kind of field', async () => {
  const bytes = joined([
    field(1, 300),
    field(2, -1),
    field(16, 'four'),
    Uint8Array.of(0x1d, 0, 0, 0, 0),
    new Uint8Array([0x21, ...Array(8)]),
  ]);
  expect(await fieldsOf(bytes)).toEqual([
    [1, 'varint', 300n],
    [2, 'varint', -1n],
    [16, 'bytes', 4],
    [3, 'fixed32', 4],
    [4, 'fixed64', 8],
  ]);
});

test('what is longer than its message, does not end, or is not a field', async () => {
  expect(await codeOf([0x0a, 5, 1])).toBe('truncated');
  expect(await codeOf([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f])).toBe('truncated');
  expect(await codeOf([0x08, 0x80])).toBe('truncated');
  expect(await codeOf([0x08, ...Array(11).fill(0x80)])).toBe('corrupt');
  expect(await codeOf([0x0b])).toBe('corrupt');
  expect(await codeOf([0x00])).toBe('corrupt');
  expect(await codeOf([0x0d, 0, 0])).toBe('truncated');
});

test('bytes are kept up to the limit', async () => {
  const reader = new WireReader(randomAccess(new Uint8Array(1000)), 100);
  expect(await reader.bytes({ begin: 10, end: 70 })).toEqual(new Uint8Array(60));
  await expect(reader.bytes({ begin: 10, end: 70 })).rejects.toMatchObject({ code: 'limit' });
});

test('bytes that the caller skips are not read', async () => {
  const head = joined([varint(8 * 5 + 2), varint(2 ** 40)]);
  const size = head.length + 2 ** 40;
  const source = {
    size,
    async read(offset: number, length: number) {
      if (offset > 0) throw new Error('read what is skipped');
      const bytes = new Uint8Array(length);
      bytes.set(head);
      return bytes;
    },
  };
  const lengths: number[] = [];
  for await (const { begin, end } of new WireReader(source, 100).fields({ begin: 0, end: size }))
    lengths.push(end - begin);
  expect(lengths).toEqual([2 ** 40]);
});

test('integers one after another', () => {
  expect(unpackVarints(new Uint8Array())).toEqual(new Float64Array());
  const all = [0, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 40, -1, -128];
  expect(unpackVarints(joined(all.map(varint)))).toEqual(Float64Array.from(all));
  expect(() => unpackVarints(Uint8Array.of(1, 0x80))).toThrow(PruneError);
  expect(() => unpackVarints(new Uint8Array([...Array(10).fill(0x80), 1]))).toThrow(PruneError);
});
