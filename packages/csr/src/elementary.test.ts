import {
  DEFAULT_LIMITS,
  type Elementary,
  firstDifference,
  type QuantizedEmbedding,
  type QuantizedLinear,
  scalar,
  type Tensor,
  tensor,
} from '@prune/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decompose } from './decompose.js';
import { recompose, recomposeSparse } from './recompose.js';
import { toCsr } from './to-csr.js';

type Entry = QuantizedLinear | QuantizedEmbedding | Tensor;

async function elementary(entries: Map<string, Entry>): Promise<Map<string, Elementary>> {
  const map = new Map<string, Elementary>();
  for await (const [name, value] of decompose(entries)) map.set(name, value);
  return map;
}

const linear = (change: Partial<QuantizedLinear> = {}): QuantizedLinear => ({
  kind: 'linear',
  weight: { shape: [2, 3], intRepr: Int8Array.of(0, 5, 0, -128, 0, 127) },
  qscheme: 'per_tensor_affine',
  scales: Float64Array.of(0.5),
  bias: tensor('float32', [2], Float32Array.of(1, -0)),
  ...change,
});
const table = (change: Partial<QuantizedEmbedding> = {}): QuantizedEmbedding => ({
  kind: 'embedding',
  bits: 8,
  shape: [2, 3],
  intRepr: Uint8Array.of(0, 255, 7, 8, 9, 10),
  scales: Float32Array.of(0.5, 0.25),
  zeroPoints: Float32Array.of(-1.5, 100.25),
  ...change,
});
const vector = tensor('float32', [2], Float32Array.of(3, 4));
const nibbles = Uint8Array.of(0x21, 0x03, 0xff, 0x0f);

test('nothing', async () => {
  expect([...(await elementary(new Map()))]).toEqual([]);
  expect([...recompose(new Map()).keys()]).toEqual([]);
  expect(await recompose(new Map()).get('x')).toBeUndefined();
});

const modules: [edge: string, entry: Entry, names: string[]][] = [
  [
    'a Linear',
    linear(),
    [
      'm.scale float32 []',
      'm.zero_point int64 []',
      'm._packed_params.dtype "qint8"',
      'm._packed_params.weight.scale float64 []',
      'm._packed_params.weight.zero_point int64 []',
      'm._packed_params.weight.int_repr.data int8 [3]',
      'm._packed_params.weight.int_repr.indptr int32 [3]',
      'm._packed_params.weight.int_repr.indices uint16 [3]',
      'm._packed_params.weight.int_repr.shape int64 [2]',
      'm._packed_params.bias float32 [2]',
    ],
  ],
  [
    'bias=None, all zero, one scale a row',
    linear({
      bias: null,
      qscheme: 'per_channel_affine',
      scales: Float64Array.of(0.5, 2),
      weight: { shape: [2, 3], intRepr: new Int8Array(6) },
    }),
    [
      'm.scale float32 []',
      'm.zero_point int64 []',
      'm._packed_params.dtype "qint8"',
      'm._packed_params.weight.scale float64 [2]',
      'm._packed_params.weight.zero_point int64 [2]',
      'm._packed_params.weight.int_repr.data int8 [0]',
      'm._packed_params.weight.int_repr.indptr int32 [3]',
      'm._packed_params.weight.int_repr.indices uint16 [0]',
      'm._packed_params.weight.int_repr.shape int64 [2]',
    ],
  ],
  [
    'a table of 8 bits',
    table(),
    [
      'm._packed_params.dtype "quint8"',
      'm._packed_params._packed_weight.scale float32 [2]',
      'm._packed_params._packed_weight.zero_point float32 [2]',
      'm._packed_params._packed_weight.int_repr uint8 [2,3]',
      'm._packed_params._packed_weight.int_repr.shape int64 [2]',
    ],
  ],
  [
    'a table of 4 bits with an odd number of columns',
    table({ bits: 4, intRepr: nibbles }),
    [
      'm._packed_params.dtype "quint4x2"',
      'm._packed_params._packed_weight.scale float32 [2]',
      'm._packed_params._packed_weight.zero_point float32 [2]',
      'm._packed_params._packed_weight.int_repr uint8 [2,2]',
      'm._packed_params._packed_weight.int_repr.shape int64 [2]',
    ],
  ],
  ['a tensor', vector, ['m float32 [2]']],
  [
    'a Linear of one row and one scale a row',
    linear({
      bias: null,
      qscheme: 'per_channel_affine',
      scales: Float64Array.of(2),
      weight: { shape: [1, 1], intRepr: Int8Array.of(1) },
    }),
    [
      'm.scale float32 []',
      'm.zero_point int64 []',
      'm._packed_params.dtype "qint8"',
      'm._packed_params.weight.scale float64 [1]',
      'm._packed_params.weight.zero_point int64 [1]',
      'm._packed_params.weight.int_repr.data int8 [1]',
      'm._packed_params.weight.int_repr.indptr int32 [2]',
      'm._packed_params.weight.int_repr.indices uint16 [1]',
      'm._packed_params.weight.int_repr.shape int64 [2]',
    ],
  ],
];

test.each(modules)('%s: names, dtypes, shapes, and back', async (_edge, entry, names) => {
  const flat = await elementary(new Map([['m', entry]]));
  const described = [...flat].map(([name, value]) =>
    typeof value === 'string' ? `${name} "${value}"` : `${name} ${value.dtype} [${value.shape}]`,
  );
  expect(described).toEqual(names);
  expect(await recompose(flat).get('m')).toEqual(entry);
  const sparse = await recomposeSparse(flat).get('m');
  const wanted = 'kind' in entry && entry.kind === 'linear' ? { ...entry, weight: toCsr(entry.weight) } : entry;
  expect(sparse).toEqual(wanted);
});

test('names that only resemble parts are tensors of their own', async () => {
  const names = [
    'layer_scale',
    'layer.scale',
    'norm.zero_point',
    'embedding_hidden_mapping_in',
    'x_packed_params.bias',
    'int_repr.data',
    'm_.scale',
    'weight.scale',
  ];
  const entries = new Map<string, Entry>([
    ['m', linear()],
    ['t', table()],
    ['t.scale', vector],
  ]);
  for (const name of names) entries.set(name, vector);
  entries.set('embedding_hidden_mapping_in.dense', linear());
  const flat = await elementary(entries);
  const back = recompose(flat);
  expect([...back.keys()]).toEqual([...entries.keys()]);
  for (const [name, entry] of entries) expect(await back.get(name)).toEqual(entry);
});

test('names sorted as HDF5 keeps them recompose alike', async () => {
  const flat = await elementary(
    new Map<string, Entry>([
      ['b', linear()],
      ['a', table()],
      ['a.c', vector],
    ]),
  );
  const sorted = new Map([...flat].sort(([a], [b]) => (a < b ? -1 : 1)));
  const back = recompose(sorted);
  expect([...back.keys()]).toEqual(['a', 'a.c', 'b']);
  expect(await back.get('b')).toEqual(linear());
});

test('layouts of torch 1.4 (no dtype) and later ("torch.qint8"), and scipy int32 indices', async () => {
  const flat = await elementary(new Map([['m', linear()]]));
  flat.delete('m._packed_params.dtype');
  expect(await recompose(flat).get('m')).toEqual(linear());
  flat.set('m._packed_params.dtype', 'torch.qint8');
  flat.set('m._packed_params.weight.int_repr.indices', tensor('int32', [3], Int32Array.of(1, 0, 2)));
  expect(await recompose(flat).get('m')).toEqual(linear());
  flat.delete('m.scale');
  flat.delete('m.zero_point');
  expect(await recompose(flat).get('m')).toEqual(linear());
});

const P = 'm._packed_params';
const refused: [edge: string, code: string, name: string, value: Elementary | undefined][] = [
  ['no values', 'missing', `${P}.weight.int_repr.data`, undefined],
  ['no row pointers', 'missing', `${P}.weight.int_repr.indptr`, undefined],
  ['no shape', 'missing', `${P}.weight.int_repr.shape`, undefined],
  ['no scale', 'missing', `${P}.weight.scale`, undefined],
  ['no zero point', 'missing', `${P}.weight.zero_point`, undefined],
  ['another code dtype', 'unsupported', `${P}.dtype`, 'float16'],
  ['a dtype that is no string', 'mismatch', `${P}.dtype`, vector],
  ['a string for a scale', 'mismatch', `${P}.weight.scale`, 'qint8'],
  ['a nonzero zero point', 'unsupported', `${P}.weight.zero_point`, scalar('int64', 3n)],
  ['zero points of another shape', 'mismatch', `${P}.weight.zero_point`, tensor('int64', [2], new BigInt64Array(2))],
  ['a scale of 0', 'corrupt', `${P}.weight.scale`, scalar('float64', 0)],
  ['a negative scale', 'corrupt', `${P}.weight.scale`, scalar('float64', -1)],
  ['a scale of NaN', 'corrupt', `${P}.weight.scale`, scalar('float64', Number.NaN)],
  ['too many scales', 'mismatch', `${P}.weight.scale`, tensor('float64', [3], new Float64Array(3))],
  ['an output scale', 'unsupported', 'm.scale', scalar('float32', 0.5)],
  ['an output zero point', 'unsupported', 'm.zero_point', scalar('int64', 1n)],
  ['values of another dtype', 'mismatch', `${P}.weight.int_repr.data`, tensor('uint8', [3], new Uint8Array(3))],
  ['a column outside', 'corrupt', 'm', tensor('uint16', [3], Uint16Array.of(1, 0, 3))],
  ['a negative column', 'corrupt', `${P}.weight.int_repr.indices`, tensor('int32', [3], Int32Array.of(-1, 0, 2))],
  ['a huge shape', 'limit', `${P}.weight.int_repr.shape`, tensor('int64', [2], BigInt64Array.of(2n ** 40n, 3n))],
  ['a negative shape', 'corrupt', `${P}.weight.int_repr.shape`, tensor('int64', [2], BigInt64Array.of(-2n, 3n))],
  ['a shape of three', 'mismatch', `${P}.weight.int_repr.shape`, tensor('int64', [3], new BigInt64Array(3))],
  ['a bias of another length', 'mismatch', `${P}.bias`, tensor('float32', [3], new Float32Array(3))],
];

test.each(refused)('refused: %s', async (_edge, code, name, value) => {
  const flat = await elementary(new Map([['m', linear()]]));
  const key = name === 'm' ? `${P}.weight.int_repr.indices` : name;
  if (value === undefined) flat.delete(key);
  else flat.set(key, value);
  await expect(recompose(flat).get('m')).rejects.toMatchObject({ code, tensor: name });
  await expect(recomposeSparse(flat).get('m')).rejects.toMatchObject({ code, tensor: name });
});

const refusedTables: [edge: string, code: string, part: string, value: Elementary | undefined][] = [
  ['no dtype', 'unsupported', 'dtype', undefined],
  ['codes of a Linear', 'unsupported', 'dtype', 'qint8'],
  ['4-bit dtype, 8-bit codes', 'mismatch', '_packed_weight.int_repr', undefined],
  ['a scale of infinity', 'corrupt', '_packed_weight.scale', tensor('float32', [2], Float32Array.of(1, Infinity))],
  ['a zero point of NaN', 'corrupt', '_packed_weight.zero_point', tensor('float32', [2], Float32Array.of(1, NaN))],
  ['one zero point', 'mismatch', '_packed_weight.zero_point', tensor('float32', [1], new Float32Array(1))],
];

test.each(refusedTables)('refused table: %s', async (_edge, code, part, value) => {
  const flat = await elementary(new Map([['m', table()]]));
  const name = `${P}.${part}`;
  if (part === '_packed_weight.int_repr') flat.set(`${P}.dtype`, 'quint4x2');
  else if (value === undefined) flat.delete(name);
  else flat.set(name, value);
  await expect(recompose(flat).get('m')).rejects.toMatchObject({ code, tensor: name });
});

test('refused at once: unknown parts, half modules, modules of two kinds, a name that is both', async () => {
  const flat = await elementary(new Map([['m', linear()]]));
  const open = (more: Record<string, Elementary>) => () => recompose(new Map([...flat, ...Object.entries(more)]));
  expect(open({ [`${P}.weights`]: vector })).toThrow(expect.objectContaining({ code: 'unsupported' }));
  expect(open({ [`${P}._packed_weight.scale`]: vector })).toThrow(expect.objectContaining({ code: 'corrupt' }));
  expect(open({ m: vector })).toThrow(expect.objectContaining({ code: 'corrupt' }));
  expect(open({ 'n._packed_params.dtype': 'qint8' })).toThrow(expect.objectContaining({ code: 'missing' }));
  const few = { ...DEFAULT_LIMITS, tensorBytes: 1, tensors: 3, rank: 1, headerBytes: 1 };
  expect(() => recompose(flat, { limits: few })).toThrow(expect.objectContaining({ code: 'limit' }));
  const small = { ...few, tensors: 100, rank: 2, tensorBytes: 5 };
  await expect(recompose(flat, { limits: small }).get('m')).rejects.toMatchObject({ code: 'limit' });
});

test('a string or nothing where a tensor should be', async () => {
  await expect(recompose(new Map([['x', 'y']])).get('x')).rejects.toMatchObject({ code: 'mismatch', tensor: 'x' });
  const absent = { keys: () => ['x'], get: () => undefined };
  await expect(recompose(absent).get('x')).rejects.toMatchObject({ code: 'missing', tensor: 'x' });
  await expect(decompose(absent).next()).rejects.toMatchObject({ code: 'missing', tensor: 'x' });
});

test('any quantized state dict survives the elementary form', async () => {
  const size = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 9 }));
  const linears = fc
    .tuple(size, fc.boolean(), fc.boolean(), fc.infiniteStream(fc.integer({ min: -128, max: 127 })))
    .map(([[rows, columns], perChannel, hasBias, stream]): QuantizedLinear => {
      const scales = Float64Array.from({ length: perChannel ? rows : 1 }, (_, i) => Math.fround(0.1 * (i + 1)));
      return {
        kind: 'linear',
        weight: {
          shape: [rows, columns],
          intRepr: Int8Array.from({ length: rows * columns }, () => stream.next().value),
        },
        qscheme: perChannel ? 'per_channel_affine' : 'per_tensor_affine',
        scales,
        bias: hasBias ? tensor('float32', [rows], new Float32Array(rows).fill(0.5)) : null,
      };
    });
  const name = fc.constantFrom('a', 'a.b', 'a_packed_params', '_packed_params', 'layer_scale', 'x.scale', 'ä.\n');
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.tuple(name, linears), { selector: ([key]) => key }), async (pairs) => {
      const entries = new Map(pairs);
      const flat = await elementary(entries);
      const back = recompose(flat);
      expect([...back.keys()]).toEqual([...entries.keys()]);
      for (const [key, entry] of entries) expect(await back.get(key)).toEqual(entry);
      const again = new Map<string, Elementary>();
      for await (const [key, value] of decompose(recomposeSparse(flat))) again.set(key, value);
      expect(await firstDifference(again, flat)).toBeUndefined();
    }),
  );
});
