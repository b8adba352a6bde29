import { DEFAULT_LIMITS, type PruneError } from '@prune/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Bytes,
  bool,
  call,
  dict,
  global,
  integer,
  list,
  none,
  ORDERED_DICT,
  pickle,
  type Storage,
  storage,
  tensor,
  text,
  tuple,
} from '../test/make-pickle.js';
import { makeTorchStream, makeTorchZip, makeZip } from '../test/make-torch-file.js';
import { openPytorch } from './open-pytorch.js';

const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
const F: Storage = { key: '0', type: 'FloatStorage', elements: 6 };
const six = floats(1, 2, 3, 4, 5, 6);

/** The same state dict in both formats; the older one has `None` for a view. */
function both(root: (s: Storage) => Bytes, of: Storage = F, bytes = six): [string, Uint8Array][] {
  const elements = of.elements;
  return [
    ['zip', makeTorchZip(root(of), { [of.key]: bytes })],
    ['deflated zip', makeTorchZip(root(of), { [of.key]: bytes }, { deflate: true })],
    ['zip64', makeTorchZip(root(of), { [of.key]: bytes }, { wide: true, wideEnd: true, comment: 'PK\x05\x06' })],
    ['stream', makeTorchStream(root({ ...of, view: none }), { [of.key]: { bytes, elements } })],
  ];
}

async function codeOf(file: Uint8Array): Promise<string> {
  return openPytorch(file).then(
    () => 'opened',
    (error: PruneError) => error.code,
  );
}

test('no tensors', async () => {
  for (const file of [makeTorchZip(dict(), {}), makeTorchStream(ORDERED_DICT, {})]) {
    expect([...(await openPytorch(file)).keys()]).toEqual([]);
  }
});

test('contiguous, transposed, sliced, expanded, scalar and empty views of one storage', async () => {
  const views: Record<string, [Parameters<typeof tensor>[1], number[]]> = {
    whole: [{ size: [2, 3], stride: [3, 1] }, [1, 2, 3, 4, 5, 6]],
    transposed: [{ size: [3, 2], stride: [1, 3] }, [1, 4, 2, 5, 3, 6]],
    column: [{ offset: 1, size: [2], stride: [3] }, [2, 5]],
    tail: [{ offset: 4, size: [2], stride: [1] }, [5, 6]],
    expanded: [{ offset: 2, size: [2, 2], stride: [0, 1] }, [3, 4, 3, 4]],
    'stride of a dimension of one': [{ size: [1, 6], stride: [99, 1] }, [1, 2, 3, 4, 5, 6]],
    scalar: [{ offset: 5, size: [], stride: [] }, [6]],
    empty: [{ offset: 6, size: [0, 3], stride: [3, 1] }, []],
  };
  const root = (s: Storage) =>
    dict(...Object.entries(views).flatMap(([name, [view]]) => [text(name), tensor(s, view)]));
  for (const [format, file] of both(root)) {
    const checkpoint = await openPytorch(file);
    expect([...checkpoint.keys()], format).toEqual(Object.keys(views));
    for (const [name, [{ size }, values]] of Object.entries(views)) {
      expect(await checkpoint.get(name), `${format} ${name}`).toEqual({
        dtype: 'float32',
        shape: size,
        data: Float32Array.from(values),
      });
    }
  }
});

test('a strided tensor is what indexing says, for any permutation of the axes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
      fc.nat(),
      fc.integer({ min: 0, max: 3 }),
      async (sizes, seed, offset) => {
        const order = sizes.map((_, axis) => axis).sort((x, y) => ((x * 7 + seed) % 5) - ((y * 7 + seed) % 5));
        const stride = new Array<number>(sizes.length).fill(1);
        let elements = 1;
        for (const axis of order) {
          stride[axis] = elements;
          elements *= Math.max(1, sizes[axis]);
        }
        const of = { ...F, elements: elements + offset };
        const values = Float32Array.from({ length: of.elements }, (_, i) => i);
        const root = dict(text('a'), tensor(of, { offset, size: sizes, stride }));
        const checkpoint = await openPytorch(makeTorchZip(root, { 0: new Uint8Array(values.buffer) }));
        const walk = (axis: number, at: number): number[] =>
          axis === sizes.length
            ? [at]
            : Array.from({ length: sizes[axis] }, (_, i) => walk(axis + 1, at + i * stride[axis])).flat();
        expect([...(await checkpoint.get('a'))!.data]).toEqual(walk(0, offset));
      },
    ),
    { numRuns: 100 },
  );
});

test('a storage of every type, views of the older format, parameters with and without state, untyped storages', async () => {
  const types = { Bool: 1, Byte: 1, Char: 1, Short: 2, Int: 4, Long: 8, Half: 2, BFloat16: 2, Float: 4, Double: 8 };
  for (const [type, width] of Object.entries(types)) {
    for (const [, file] of both(
      (s) => dict(text('a'), tensor(s, { size: [2], stride: [1] })),
      { key: '9', type: `${type}Storage`, elements: 2 },
      new Uint8Array(2 * width),
    )) {
      expect((await (await openPytorch(file)).get('a'))!.data.byteLength).toBe(2 * width);
    }
  }
  const view = { ...F, view: tuple(text('v'), integer(2), integer(3)) };
  const stream = makeTorchStream(dict(text('a'), tensor(view, { offset: 1, size: [2], stride: [1] })), {
    0: { bytes: six, elements: 6 },
  });
  expect([...(await (await openPytorch(stream)).get('a'))!.data]).toEqual([4, 5]);

  const plain = tensor(F, { size: [6], stride: [1] });
  const v3 = call(
    global('torch._utils', '_rebuild_tensor_v3'),
    tuple(
      storage({ key: '0', type: 'UntypedStorage', module: 'torch.storage', elements: 24 }),
      integer(1),
      tuple(integer(2)),
      tuple(integer(1)),
      bool(false),
      ORDERED_DICT,
      global('torch', 'uint32'),
    ),
  );
  const root = dict(
    ...[text('p'), call(global('torch._utils', '_rebuild_parameter'), tuple(plain, bool(true), ORDERED_DICT))],
    ...[
      text('s'),
      call(global('torch._utils', '_rebuild_parameter_with_state'), tuple(plain, bool(true), ORDERED_DICT, dict())),
    ],
    ...[text('u'), v3],
  );
  const checkpoint = await openPytorch(makeTorchZip(root, { 0: six }));
  expect([...(await checkpoint.get('p'))!.data]).toEqual([1, 2, 3, 4, 5, 6]);
  expect(await checkpoint.get('s')).toEqual(await checkpoint.get('p'));
  expect(await checkpoint.get('u')).toEqual({
    dtype: 'uint32',
    shape: [2],
    data: Uint32Array.of(0x40000000, 0x40400000),
  });
});

test('an OrderedDict with module versions, and one of pairs as Python 2 wrote it', async () => {
  const plain = tensor(F, { size: [6], stride: [1] });
  const built = [...ORDERED_DICT, ...text('a'), ...plain, 0x73, ...dict(text('_metadata'), ORDERED_DICT), 0x62];
  const pairs = call(global('collections', 'OrderedDict'), tuple(list(list(text('a'), plain))));
  for (const root of [built, pairs]) {
    expect((await openPytorch(makeTorchZip(root, { 0: six }))).info('a')).toEqual({ dtype: 'float32', shape: [6] });
  }
});

test('a global that is not on the list is named, and nothing runs', async () => {
  for (const [module, name] of [
    ['posix', 'system'],
    ['builtins', 'eval'],
    ['transformers.modeling_bert', 'BertModel'],
    ['torch', 'QInt32Storage'],
    ['collections', '__proto__'],
    ['torch._utils', 'constructor'],
  ]) {
    const root = dict(text('a'), call(global(module, name), tuple(text('touch x'))));
    for (const file of [makeTorchZip(root, {}), makeTorchStream(root, {})]) {
      const error = await openPytorch(file).catch((error: PruneError) => error);
      expect(error).toMatchObject({ code: 'unsupported', got: JSON.stringify(`${module}.${name}`) });
    }
  }
});

const ok = tensor(F, { size: [6], stride: [1] });
const deep = (n: number): Bytes => [...new Array<number>(n).fill(0x5d), ...new Array<number>(n - 1).fill(0x61)];
const roots: Record<string, [code: string, root: Bytes]> = {
  'not a dict': ['unsupported', list()],
  'an entry that is no tensor': ['unsupported', dict(text('epoch'), integer(3))],
  'a name that is no string': ['corrupt', dict(integer(1), ok)],
  'the same name twice': ['corrupt', dict(text('a'), ok, text('a'), ok)],
  'a list in itself': ['unsupported', [0x5d, 0x71, 0, 0x68, 0, 0x61]],
  'lists nested 100,000 deep': ['unsupported', deep(100_000)],
  'memo never set': ['corrupt', dict(text('a'), [0x68, 7])],
  'stack underflow': ['corrupt', [0x73]],
  'a tuple without a mark': ['corrupt', [0x74]],
  'underflow below a mark': ['corrupt', [...integer(1), 0x28, 0x85]],
  'an opcode that runs code': ['unsupported', [0x28, 0x6f]],
  'a string of 4 GB': ['limit', [0x58, 0xff, 0xff, 0xff, 0xff]],
  'an integer of 2 GB': ['limit', [0x8b, 0xff, 0xff, 0xff, 0x7f]],
  'a persistent id of another kind': ['unsupported', dict(text('a'), [...tuple(text('module')), 0x51])],
  'offset past the storage': ['corrupt', dict(text('a'), tensor(F, { offset: 1, size: [6], stride: [1] }))],
  'stride past the storage': ['corrupt', dict(text('a'), tensor(F, { size: [2], stride: [6] }))],
  'a negative size': ['corrupt', dict(text('a'), tensor(F, { size: [-1], stride: [1] }))],
  'a size of 2^60': ['corrupt', dict(text('a'), tensor(F, { size: [2 ** 60], stride: [0] }))],
  'an expansion to 1 GiB': ['limit', dict(text('a'), tensor(F, { size: [2 ** 28], stride: [0] }))],
  'an expansion to 4 GiB': ['limit', dict(text('a'), tensor(F, { size: [2 ** 15, 2 ** 15], stride: [0, 0] }))],
  'sizes without strides': ['corrupt', dict(text('a'), tensor(F, { size: [6], stride: [] }))],
  'nine dimensions': [
    'limit',
    dict(text('a'), tensor(F, { size: new Array(9).fill(1), stride: new Array(9).fill(1) })),
  ],
  'elements other than the file has': [
    'corrupt',
    dict(text('a'), tensor({ ...F, elements: 7 }, { size: [6], stride: [1] })),
  ],
  'a storage that is not there': [
    'corrupt',
    dict(text('a'), tensor({ ...F, key: '../0' }, { size: [6], stride: [1] })),
  ],
};

test.each(Object.entries(roots))('refused in both formats: %s', async (_, [code, root]) => {
  expect(await codeOf(makeTorchZip(root, { 0: six }))).toBe(code);
  expect(await codeOf(makeTorchStream(root, { 0: { bytes: six, elements: 6 } }))).toBe(code);
});

test('one list copied into many dicts through the memo is stopped', async () => {
  const pair = list(text('k'), none);
  const many = [0x5d, ...[0x28], ...new Array(100).fill(pair).flat(), 0x65, 0x71, 0];
  const copies = new Array(20_000).fill([...call(global('collections', 'OrderedDict'), [0x68, 0, 0x85])]).flat();
  const file = makeTorchZip([...many, ...copies, ...dict()], {});
  await expect(openPytorch(file)).rejects.toMatchObject({ code: 'limit' });
});

test('more operations than the limits allow are stopped, whatever they do', async () => {
  const file = makeTorchZip([...new Array<number>(20_000).fill(0x4e), ...dict()], {});
  const limits = { ...DEFAULT_LIMITS, tensors: 10 };
  await expect(openPytorch(file, { limits })).rejects.toMatchObject({ code: 'limit' });
  expect([...(await openPytorch(file)).keys()]).toEqual([]);
});

test('zip archives that are none of torch, cut, encrypted, overlapping, doubled, or bombs', async () => {
  const root = dict(text('a'), ok);
  const good = makeTorchZip(root, { 0: six });
  expect(await codeOf(good)).toBe('opened');
  expect(await codeOf(good.subarray(0, good.length - 1))).toBe('truncated');
  expect(await codeOf(good.subarray(0, 100))).toBe('truncated');
  expect(await codeOf(makeZip([{ name: 'a/b', bytes: six }]))).toBe('unsupported');
  expect(await codeOf(makeTorchZip(root, { 0: six }, { byteOrder: 'big' }))).toBe('unsupported');
  const data = { name: 'archive/data.pkl', bytes: pickle(root) };
  expect(await codeOf(makeZip([data, data]))).toBe('corrupt');

  const directory = (file: Uint8Array) => new DataView(file.buffer).getUint32(file.length - 22 + 16, true);
  const patched = (at: (start: number) => number, value: number) => {
    const file = makeTorchZip(root, { 0: six }, { deflate: true });
    new DataView(file.buffer).setUint32(at(directory(file)), value, true);
    return codeOf(file);
  };
  expect(await patched((start) => start + 8, 0x0008_0001)).toBe('unsupported'); // encrypted
  expect(await patched((start) => start + 8, 0x000e_0000)).toBe('unsupported'); // LZMA
  expect(await patched((start) => start + 24, 50_000_000)).toBe('corrupt'); // declares more than deflate can hold
  expect(await patched((start) => start + 24, 10)).toBe('corrupt'); // inflates to more than it declares
  expect(await patched((start) => start + 20, 10_000)).toBe('corrupt'); // reaches into the next file
  expect(await patched((start) => start + 42, 30)).toBe('corrupt'); // no local header there
});

test('the older format cut, continued, of another order', async () => {
  const root = dict(text('a'), ok);
  const storages = { 0: { bytes: six, elements: 6 } };
  const good = makeTorchStream(root, storages);
  expect(await codeOf(good)).toBe('opened');
  for (const length of [good.length - 1, good.length - 30, 40, 20])
    expect(await codeOf(good.subarray(0, length))).toBe('truncated');
  expect(await codeOf(Uint8Array.of(...good, 0))).toBe('corrupt');
  expect(await codeOf(makeTorchStream(root, storages, { littleEndian: false }))).toBe('unsupported');
  expect(await codeOf(makeTorchStream(root, { 0: { bytes: six, elements: 2 ** 40 } }))).toBe('corrupt');
  expect(await codeOf(makeTorchStream(root, {}))).toBe('corrupt');
  expect(await codeOf(pickle(integer(5)))).toBe('unsupported');
});

test('a deflated storage that many tensors share is inflated once, and too large a one is refused', async () => {
  const elements = 1 << 20;
  const of = { ...F, elements };
  const view = (offset: number) => tensor(of, { offset, size: [1], stride: [1] });
  const names = Array.from({ length: 20 }, (_, i) => [text(`t${i}`), view(i)]).flat();
  const storage = new Uint8Array(Float32Array.from({ length: elements }, (_, i) => i % 1000).buffer);
  const zip = makeTorchZip(dict(...names), { 0: storage }, { deflate: true });
  let bytesRead = 0;
  const checkpoint = await openPytorch({
    size: zip.length,
    async read(offset, length) {
      bytesRead += length;
      return zip.subarray(offset, offset + length);
    },
  });
  for (let i = 0; i < 20; i++) expect((await checkpoint.get(`t${i}`))?.data[0]).toBe(i);
  expect(bytesRead).toBeLessThan(2 * zip.length);

  const large = { ...F, elements: 10 * elements };
  const few = dict(text('a'), tensor(large, { size: [1], stride: [1] }));
  const file = makeTorchZip(few, { 0: new Uint8Array(40 * elements) }, { deflate: true });
  await expect(openPytorch(file)).rejects.toMatchObject({ code: 'limit' });
});

test('tensors that expand to much more than the file in all are refused', async () => {
  const wide = (i: number) => [text(`t${i}`), tensor(F, { size: [2 ** 22], stride: [0] })];
  const expanded = (count: number) =>
    makeTorchZip(dict(...Array.from({ length: count }, (_, i) => wide(i)).flat()), { 0: six });
  expect(await codeOf(expanded(3))).toBe('opened');
  expect(await codeOf(expanded(20))).toBe('limit');
});
