import {
  type Codec,
  type CsrRows,
  csrOfRows,
  type Elementary,
  memorySink,
  PruneError,
  tensor,
  tensorBytes,
  tensorFromBytes,
  writeStore,
} from '@prune/core';
import { expect, test } from 'vitest';
import { createMsgpackStore } from './create-msgpack-store.js';
import { openMsgpackStore } from './open-msgpack-store.js';

const matrix = new Map<string, Elementary>([
  ['m.data', tensor('int8', [2], Int8Array.of(5, -6))],
  ['m.indptr', tensor('int32', [3], Int32Array.of(0, 1, 2))],
  ['m.indices', tensor('uint16', [2], Uint16Array.of(3, 1))],
]);

/** One that keeps a matrix as it is, a part of 16 bytes each, and gives its rows as `change` says. */
function rowCodec(change: Partial<CsrRows> = {}): Codec {
  const parts = ['data', 'indptr', 'indices'];
  const decode: Codec['decode'] = (bytes, infos) =>
    infos.map(({ name, dtype, shape }) => {
      const at = 16 * parts.indexOf(name.split('.')[1]);
      const width = { int8: 1, int32: 4, uint16: 2 }[dtype as 'int8'];
      return tensorFromBytes(dtype, shape, bytes.slice(at, at + width * shape[0]));
    });
  return {
    name: 'with-rows',
    group: ({ name }) => ({ key: name.split('.')[0], size: parts.length }),
    encode(tensors) {
      const bytes = new Uint8Array(48);
      for (const part of tensors) bytes.set(tensorBytes(part), 16 * parts.indexOf(part.name.split('.')[1]));
      return bytes;
    },
    decode,
    rows: () => ({
      shape: [2, 4],
      nnz: 2,
      forEachRow(visit) {
        visit(0, Uint16Array.of(3), Int8Array.of(5), 0, 1);
        visit(1, Uint16Array.of(1), Int8Array.of(-6), 0, 1);
      },
      ...change,
    }),
  };
}

async function store(codec: Codec, damage?: number) {
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, { codecs: [codec] }), matrix, {});
  const bytes = sink.bytes().slice();
  if (damage !== undefined) bytes[damage] ^= 1;
  return openMsgpackStore(bytes, { name: 'm.prune', codecs: [codec] });
}

test('no matrix of that name, and a codec without rows', async () => {
  const { rows: _, ...without } = rowCodec();
  expect(await (await store(rowCodec())).rows?.('other')).toBeUndefined();
  expect(await (await store(rowCodec())).rows?.('m.data')).toBeUndefined();
  expect(await (await store(without)).rows?.('m')).toBeUndefined();
});

test('a matrix as rows, beside its arrays', async () => {
  const opened = await store(rowCodec());
  const rows = await opened.rows?.('m');
  const { indices, data } = csrOfRows(rows!);
  expect([indices, data]).toEqual([Uint16Array.of(3, 1), Int8Array.of(5, -6)]);
  expect(await opened.get('m.data')).toEqual(matrix.get('m.data'));
});

test('stored bytes are checked before a codec sees them', async () => {
  const asked = (await store(rowCodec(), 70)).rows?.('m');
  await expect(asked).rejects.toMatchObject({ code: 'corrupt', where: 'm.prune', tensor: 'm' });
});

test.each([{ shape: [3, 4] as const }, { nnz: 1 }])('rows of another matrix are refused: %j', async (change) => {
  const asked = (await store(rowCodec(change))).rows?.('m');
  await expect(asked).rejects.toMatchObject({ code: 'corrupt', where: 'm.prune', tensor: 'm' });
});

test('errors of the codec are told where they are, those of the visitor are its own', async () => {
  const fails: Partial<CsrRows> = {
    forEachRow() {
      throw new PruneError('corrupt', { what: 'a block' });
    },
  };
  const failing = await (await store(rowCodec(fails))).rows?.('m');
  expect(() => failing?.forEachRow(() => {})).toThrow(
    expect.objectContaining({ code: 'corrupt', where: 'm.prune', tensor: 'm' }),
  );
  const good = await (await store(rowCodec())).rows?.('m');
  const own = new Error('mine');
  expect(() =>
    good?.forEachRow(() => {
      throw own;
    }),
  ).toThrow(own);
});
