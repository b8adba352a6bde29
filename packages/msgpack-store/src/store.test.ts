import {
  type ByteSource,
  type Codec,
  DTYPES,
  type Dtype,
  type Elementary,
  type ElementaryEntries,
  firstDifference,
  type ModelMetadata,
  memorySink,
  Pacer,
  scalar,
  type Tensor,
  tensor,
  tensorFromBytes,
  writeStore,
} from '@prune/core';
import { goldenPath, readNpz } from '@prune/fixtures';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { codecList, MSGPACK_CODEC_NAMES } from './codecs/codec-list.js';
import { raw } from './codecs/raw.js';
import { type CreateMsgpackOptions, createMsgpackStore } from './create-msgpack-store.js';
import { openMsgpackStore } from './open-msgpack-store.js';

async function pack(entries: ElementaryEntries, metadata: ModelMetadata = {}, options: CreateMsgpackOptions = {}) {
  const sink = memorySink();
  await writeStore(await createMsgpackStore(sink, options), entries, metadata);
  return sink.bytes().slice();
}

/** A source that remembers what was read of it. */
function watched(bytes: Uint8Array) {
  const reads: [offset: number, length: number][] = [];
  const source: ByteSource = {
    name: 'watched.prune',
    size: bytes.length,
    async read(offset, length) {
      reads.push([offset, length]);
      return bytes.slice(offset, offset + length);
    },
  };
  return { source, reads };
}

test('an empty store has nothing, and says nothing about itself', async () => {
  const store = await openMsgpackStore(await pack(new Map()));
  expect([...store.keys()]).toEqual([]);
  expect(store.metadata).toEqual({});
  expect(await store.get('x')).toBeUndefined();
  expect(store.info('x')).toBeUndefined();
  await store.close();
});

test.each(MSGPACK_CODEC_NAMES)('golden models survive, codec %s', async (name) => {
  for (const model of ['tiny', 'narrow']) {
    const elementary = readNpz(goldenPath(`${model}/elementary.npz`));
    const store = await openMsgpackStore(await pack(elementary, {}, { codecs: codecList(name) }));
    expect([...store.keys()]).toEqual([...elementary.keys()]);
    expect(await firstDifference(elementary, store)).toBeUndefined();
  }
});

const dtypes = Object.keys(DTYPES) as Dtype[];
const anyTensor = fc
  .tuple(fc.constantFrom(...dtypes), fc.array(fc.nat(6), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const length = shape.reduce((product, n) => product * n, DTYPES[dtype].bytes);
    return fc
      .uint8Array({ minLength: length, maxLength: length })
      .map((bytes): Elementary => tensorFromBytes(dtype, shape, bytes));
  });
const names = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('__proto__', 'a.data', 'a.indices', 'a.indptr'),
);

test('any entries survive every codec: all dtypes, ranks and names, strings, empty tensors', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(names, fc.oneof(anyTensor, fc.string())), { maxLength: 8 }),
      fc.constantFrom(...MSGPACK_CODEC_NAMES),
      async (pairs, codec) => {
        const entries = new Map<string, Elementary>(pairs);
        const bytes = await pack(entries, {}, { codecs: codecList(codec) });
        expect(await firstDifference(entries, await openMsgpackStore(bytes))).toBeUndefined();
      },
    ),
    { numRuns: 150 },
  );
});

test('metadata goes through whole, what is absent stays absent, files are read when asked for', async () => {
  const vocabulary = new TextEncoder().encode('[PAD]\n[UNK]\n'.repeat(500));
  const metadata: ModelMetadata = {
    config: {
      hidden_size: 64,
      layer_norm_eps: 1e-12,
      architectures: ['BertForQuestionAnswering'],
      none: null,
      deep: { a: [1, 2.5, 'x', true] },
    },
    modules: { '': { version: 1 }, 'bert.encoder': { version: 1 } },
    profile: 'qnnpack',
    files: new Map([
      ['vocab.txt', vocabulary],
      ['added_tokens.json', new Uint8Array(0)],
    ]),
  };
  const { source, reads } = watched(await pack(new Map([['a', 'x']]), metadata));
  const store = await openMsgpackStore(source);
  const { files, ...rest } = store.metadata;
  const { files: _, ...wanted } = metadata;
  expect(rest).toEqual(wanted);
  expect([...files!.keys()]).toEqual(['vocab.txt', 'added_tokens.json']);
  expect(reads).toHaveLength(2);
  expect(await files!.get('vocab.txt')).toEqual(vocabulary);
  expect(await files!.get('added_tokens.json')).toEqual(new Uint8Array(0));
  expect(await files!.get('absent')).toBeUndefined();
});

test('the same input gives the same bytes, whatever arrays hold it', async () => {
  const elementary = readNpz(goldenPath('tiny/elementary.npz'));
  const first = await pack(elementary);
  const copies = new Map<string, Elementary>();
  for (const [name, value] of elementary) {
    if (typeof value === 'string') copies.set(name, value);
    else {
      const padded = new Uint8Array(value.data.byteLength + 8);
      const view = new Uint8Array(value.data.buffer, value.data.byteOffset, value.data.byteLength);
      padded.set(view, 8);
      copies.set(name, tensorFromBytes(value.dtype, value.shape, padded.subarray(8)));
    }
  }
  expect(Buffer.compare(first, await pack(copies))).toBe(0);
});

test('one tensor is read by its byte range alone, a matrix is decoded once', async () => {
  const { source, reads } = watched(await pack(readNpz(goldenPath('tiny/elementary.npz'))));
  const store = await openMsgpackStore(source);
  reads.length = 0;
  const matrix = 'bert.encoder.layer.0.intermediate.dense._packed_params.weight.int_repr';
  for (const part of ['data', 'indices', 'indptr']) await store.get(`${matrix}.${part}`);
  expect(reads).toHaveLength(1);
  const parts = ['data', 'indices', 'indptr'].map((part) => store.info(`${matrix}.${part}`)!);
  expect(parts.map(({ codec }) => codec)).toEqual(['csr-gzip', 'csr-gzip', 'csr-gzip']);
  expect(parts.reduce((sum, { storedBytes }) => sum + storedBytes, 0)).toBe(reads[0][1]);
  // What was given away is read again, so that two callers never share memory.
  const again = await store.get(`${matrix}.data`);
  expect(reads).toHaveLength(2);
  expect(again).not.toBe(await store.get(`${matrix}.data`));
});

test('everything asked for at once is everything, each with memory of its own', async () => {
  const elementary = readNpz(goldenPath('tiny/elementary.npz'));
  const { source, reads } = watched(await pack(elementary));
  const store = await openMsgpackStore(source);
  reads.length = 0;
  const names = [...store.keys()];
  const values = await Promise.all(names.map((name) => store.get(name)));
  expect(await firstDifference(elementary, new Map(names.map((name, i) => [name, values[i]!])))).toBeUndefined();
  // A block once, though its tensors were asked for before it was there.
  expect(new Set(reads.map(([offset]) => offset)).size).toBe(reads.length);
  const matrix = names.find((name) => name.endsWith('.data'))!;
  const [a, b, c] = (await Promise.all([store.get(matrix), store.get(matrix), store.get(matrix)])) as Tensor[];
  expect(new Set([a.data.buffer, b.data.buffer, c.data.buffer]).size).toBe(3);
  expect(await firstDifference(new Map([[matrix, a]]), new Map([[matrix, c]]))).toBeUndefined();
});

test.each(MSGPACK_CODEC_NAMES)('what was read stays when the bytes of the file change, codec %s', async (name) => {
  const table = tensor(
    'float32',
    [70, 3],
    Float32Array.from({ length: 210 }, (_, i) => Math.sin(i)),
  );
  const elementary = new Map<string, Elementary>([...readNpz(goldenPath('tiny/elementary.npz')), ['table', table]]);
  const bytes = await pack(elementary, {}, { codecs: codecList(name) });
  const store = await openMsgpackStore(bytes);
  const read = new Map<string, Elementary>();
  for (const key of store.keys()) read.set(key, (await store.get(key)) as Elementary);
  bytes.fill(0);
  expect(await firstDifference(elementary, read)).toBeUndefined();
});

test('a block of a whole model is decoded once, though other blocks are read in between', async () => {
  let decoded = 0;
  // All int8 tensors in one block, end to end.
  const together: Codec = {
    name: 'together',
    group: ({ dtype }) => (dtype === 'int8' ? { key: 'all' } : undefined),
    encode: (tensors) => tensors.map(({ data }, tensor) => ({ bytes: new Uint8Array(data.slice().buffer), tensor })),
    decode(bytes, infos) {
      decoded++;
      let at = 0;
      return infos.map(({ dtype, shape }) => {
        at += shape[0];
        return tensorFromBytes(dtype, shape, bytes.slice(at - shape[0], at));
      });
    },
  };
  const entries = new Map<string, Elementary>();
  for (let i = 0; i < 20; i++) {
    entries.set(`${i}.int8`, tensor('int8', [i], new Int8Array(i).fill(i)));
    entries.set(`${i}.uint8`, tensor('uint8', [100], new Uint8Array(100).fill(i)));
  }
  const codecs = [together, ...codecList()];
  const store = await openMsgpackStore(await pack(entries, {}, { codecs }), { codecs });
  expect(await firstDifference(entries, store)).toBeUndefined();
  expect(decoded).toBe(1);
  expect(store.info('7.int8')).toMatchObject({ codec: 'together', storedBytes: 7 });
});

test('a block that fails to be read can be read later', async () => {
  const bytes = await pack(new Map([['big', tensor('int8', [99], new Int8Array(99))]]));
  let down = false;
  const read = async (offset: number, length: number) => {
    if (down) throw new Error('the network is down');
    return bytes.slice(offset, offset + length);
  };
  const store = await openMsgpackStore({ name: 'far.prune', size: bytes.length, read });
  down = true;
  const both = await Promise.allSettled([store.get('big'), store.get('big')]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(store.get('big')).rejects.toMatchObject({ code: 'io', where: 'far.prune', tensor: 'big' });
  down = false;
  expect(await store.get('big')).toMatchObject({ shape: [99] });
});

test('puts that are not waited for are written one after another', async () => {
  const elementary = readNpz(goldenPath('tiny/elementary.npz'));
  const sink = memorySink();
  const slow = { ...sink, write: (bytes: Uint8Array) => Promise.resolve().then(() => sink.write(bytes)) };
  const writer = await createMsgpackStore(slow);
  const puts = [...elementary].map(([name, value]) => writer.put(name, value));
  await Promise.all([...puts, writer.finish({})]);
  expect(Buffer.compare(sink.bytes(), await pack(elementary))).toBe(0);
});

test('what could not be read back is not written', async () => {
  const failed = { code: 'invalid-argument', where: 'f.prune' };
  const writer = () => createMsgpackStore(memorySink(), { name: 'f.prune' });
  await expect((await writer()).put('half \ud800', scalar('int8', 1))).rejects.toMatchObject(failed);
  await expect((await writer()).put('text', '\udc00')).rejects.toMatchObject({ ...failed, tensor: 'text' });
  await expect((await writer()).finish({ files: new Map([['../x', new Uint8Array(1)]]) })).rejects.toMatchObject(
    failed,
  );
  // A failed step may have left half a block: nothing follows it.
  const broken = await writer();
  await expect(broken.put('\ud800', 'x')).rejects.toMatchObject(failed);
  await expect(broken.put('a', 'x')).rejects.toMatchObject(failed);
  await expect(broken.finish({})).rejects.toMatchObject(failed);
});

test('an incomplete matrix, and one in odd order, falls through to the codecs behind', async () => {
  const entries = new Map<string, Elementary>([
    ['m.data', tensor('int8', [200], new Int8Array(200).fill(1))],
    ['m.indices', tensor('uint16', [200], new Uint16Array(200).fill(9))],
    ['m.indptr', tensor('int32', [2], Int32Array.of(0, 200))],
    ['lone.indices', tensor('uint16', [200], new Uint16Array(200).fill(9))],
  ]);
  const store = await openMsgpackStore(await pack(entries));
  expect(await firstDifference(entries, store)).toBeUndefined();
  expect([...entries.keys()].map((name) => store.info(name)!.codec)).toEqual([
    'gzip',
    'planes-gzip',
    'gzip',
    'planes-gzip',
  ]);
});

test('a name that is put twice, or a tensor that no codec takes, is refused and nothing is committed', async () => {
  const sink = memorySink();
  const writer = await createMsgpackStore(sink, { name: 'f.prune' });
  await writer.put('a', scalar('float32', 1));
  await expect(writer.put('a', scalar('float32', 2))).rejects.toMatchObject({
    code: 'invalid-argument',
    where: 'f.prune',
    tensor: 'a',
  });
  await writer.abort();
  expect(sink.bytes()).toHaveLength(0);
  await expect(writer.put('b', 'x')).rejects.toMatchObject({ code: 'invalid-argument' });
  await expect(
    pack(new Map([['big', tensor('int8', [99], new Int8Array(99))]]), {}, { codecs: [] }),
  ).rejects.toMatchObject({ code: 'unsupported', tensor: 'big' });
});

const lying = (decode: Codec['decode']): Codec => ({ ...raw(), name: 'lying', decode });

test.each<[string, Codec['decode'], string]>([
  ['too few', () => [], 'corrupt'],
  ['another dtype', () => [tensor('uint8', [99], new Uint8Array(99))], 'corrupt'],
  ['another shape', () => [tensor('int8', [98], new Int8Array(98))], 'corrupt'],
  ['an array that does not fit', () => [{ dtype: 'int8', shape: [99], data: new Int8Array(98) }], 'mismatch'],
])('a codec that returns %s is caught at the seam', async (_case, decode, code) => {
  const entries = new Map([['big', tensor('int8', [99], new Int8Array(99))]]);
  const codecs = [lying(decode)];
  const store = await openMsgpackStore(await pack(entries, {}, { codecs }), { name: 'f.prune', codecs });
  await expect(store.get('big')).rejects.toMatchObject({ code, where: 'f.prune', tensor: 'big' });
});

test('a codec that the reader has not is named', async () => {
  const entries = new Map([['big', tensor('int8', [99], new Int8Array(99))]]);
  const store = await openMsgpackStore(await pack(entries, {}, { codecs: [lying(raw().decode)] }));
  await expect(store.get('big')).rejects.toMatchObject({ code: 'unsupported', got: 'lying' });
});

test('what a codec throws names the codec, and is the cause', async () => {
  const broken = new TypeError('no memory');
  const fail = () => {
    throw broken;
  };
  async function* failLater() {
    yield { bytes: new Uint8Array(3) };
    fail();
  }
  const wanted = { code: 'io', tensor: 'big', what: 'codec "broken" failed: no memory', cause: broken };
  const codec = (part: Partial<Codec>): Codec => ({ ...raw(), name: 'broken', ...part });
  const entries = new Map([['big', tensor('int8', [99], new Int8Array(99))]]);
  for (const encode of [fail, async () => fail(), failLater]) {
    await expect(pack(entries, {}, { codecs: [codec({ encode })] })).rejects.toMatchObject(wanted);
  }
  const whole = await pack(entries, {}, { codecs: [codec({})] });
  const store = await openMsgpackStore(whole, { codecs: [codec({ decode: fail })] });
  await expect(store.get('big')).rejects.toMatchObject(wanted);
});

test('a closed store says so, also of its metadata', async () => {
  const files = new Map([['vocab.txt', new Uint8Array(5)]]);
  const entries = new Map([['big', tensor('int8', [99], new Int8Array(99))]]);
  const store = await openMsgpackStore(await pack(entries, { files }), { name: 'f.prune' });
  await store.close();
  const wanted = { code: 'invalid-argument', what: 'the store is closed', where: 'f.prune' };
  await expect(store.get('big')).rejects.toMatchObject(wanted);
  await expect(store.metadata.files?.get('vocab.txt')).rejects.toMatchObject(wanted);
});

test('every flipped byte and every cut is noticed', async () => {
  const entries = new Map<string, Elementary>([
    [
      'w',
      tensor(
        'float32',
        [50],
        Float32Array.from({ length: 50 }, (_, i) => i / 7),
      ),
    ],
    ['s', 'torch.qint8'],
  ]);
  const bytes = await pack(entries, { config: { a: 1 } });
  const read = async (damaged: Uint8Array) => {
    const store = await openMsgpackStore(damaged);
    for (const name of store.keys()) await store.get(name);
  };
  await expect(read(bytes)).resolves.toBeUndefined();
  for (let i = 0; i < bytes.length; i++) {
    const damaged = bytes.slice();
    damaged[i] ^= 1 << (i % 8);
    await expect(read(damaged), `byte ${i}`).rejects.toMatchObject({ name: 'PruneError' });
    await expect(read(bytes.subarray(0, i)), `cut at ${i}`).rejects.toMatchObject({ name: 'PruneError' });
  }
});

test('a large block is summed when it is written, summed and copied when it is read, in parts, with a look at the clock before each', async () => {
  const pause = vi.spyOn(Pacer.prototype, 'pause').mockResolvedValue();
  try {
    const sums = 3;
    const large = tensor('uint8', [sums * 2 ** 20], new Uint8Array(sums * 2 ** 20).fill(3));
    const copies = large.data.length / 2 ** 16;
    const bytes = await pack(new Map([['x', large]]), {}, { codecs: [raw()] });
    expect(pause.mock.calls.length).toBeGreaterThanOrEqual(sums);
    const store = await openMsgpackStore(bytes);
    pause.mockClear();
    expect(await firstDifference(new Map([['x', large]]), store)).toBeUndefined();
    expect(pause.mock.calls.length).toBeGreaterThanOrEqual(sums + copies);
  } finally {
    pause.mockRestore();
  }
});
