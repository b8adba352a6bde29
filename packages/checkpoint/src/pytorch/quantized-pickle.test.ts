import type { PruneError } from '@prune/core';
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
  storage,
  tensor,
  text,
  tuple,
} from '../../test/make-pickle.js';
import { makeTorchZip } from '../../test/make-torch-file.js';
import { openStagedPytorch } from '../open-staged-pytorch.js';

const float = (value: number): Bytes => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return [0x47, ...new Uint8Array(view.buffer)];
};
const build = (target: Bytes, state: Bytes): Bytes => [...target, ...state, 0x62];
const bytes = (...values: number[]): Bytes => [0x43, values.length, ...values];

const STORAGES = {
  codes: Uint8Array.of(1, 255, 3, 4, 0, 6),
  bias: new Uint8Array(Float32Array.of(1, 2).buffer),
  scales: new Uint8Array(Float64Array.of(0.5, 0.25).buffer),
  zeros: new Uint8Array(BigInt64Array.of(0n, 0n).buffer),
  shifts: new Uint8Array(BigInt64Array.of(0n, 7n).buffer),
};
const vector = (key: 'bias' | 'scales' | 'zeros' | 'shifts', type: string) =>
  tensor({ key, type, elements: 2 }, { size: [2], stride: [1] });

/** A quantized matrix of 2 rows and 3 columns. */
function quantized(quantizer: Bytes, { type = 'QInt8Storage', size = [2, 3] } = {}): Bytes {
  const stride = size.map((_, i) => size.slice(i + 1).reduce((a, b) => a * b, 1));
  const codes = storage({ key: 'codes', type, elements: 6 });
  return call(
    global('torch._utils', '_rebuild_qtensor'),
    tuple(
      codes,
      integer(0),
      tuple(...size.map(integer)),
      tuple(...stride.map(integer)),
      quantizer,
      bool(false),
      ORDERED_DICT,
    ),
  );
}
const perTensor = (scale = 0.5, zeroPoint = 0) =>
  tuple(global('torch', 'per_tensor_affine'), float(scale), integer(zeroPoint));
const perChannel = (zeroPoints: 'zeros' | 'shifts', axis = 0) =>
  tuple(
    global('torch', 'per_channel_affine'),
    vector('scales', 'DoubleStorage'),
    vector(zeroPoints, 'LongStorage'),
    integer(axis),
  );
const linear = (weight: Bytes, bias: Bytes = none): Bytes =>
  dict(text('a._packed_params._packed_params'), tuple(weight, bias));

const open = (root: Bytes) => openStagedPytorch(makeTorchZip(root, STORAGES), { name: 'q.bin' });

/** The error of opening a model and reading its module `a`. */
async function errorOf(root: Bytes): Promise<PruneError> {
  try {
    const checkpoint = await open(root);
    if (checkpoint.stage === 'quantized') await checkpoint.quantized.get('a');
    if (checkpoint.stage === 'elementary') await checkpoint.elementary.get('a._packed_params.weight.int_repr.data');
  } catch (error) {
    return error as PruneError;
  }
  throw new Error('there was no error');
}

test('a Linear without a bias, and the output scale that nothing uses', async () => {
  const root = dict(
    text('a.scale'),
    tensor({ key: 'bias', type: 'FloatStorage', elements: 2 }, { size: [], stride: [] }),
    text('a._packed_params._packed_params'),
    tuple(quantized(perTensor()), none),
  );
  const checkpoint = await open(root);
  if (checkpoint.stage !== 'quantized') throw new Error('wanted a quantized model');
  expect([...checkpoint.quantized.keys()]).toEqual(['a']);
  expect(await checkpoint.quantized.get('a')).toEqual({
    kind: 'linear',
    qscheme: 'per_tensor_affine',
    scales: Float64Array.of(0.5),
    weight: { shape: [2, 3], intRepr: Int8Array.of(1, -1, 3, 4, 0, 6) },
    bias: null,
  });
});

test.each<[string, Bytes, object]>([
  ['a zero point', linear(quantized(perTensor(0.5, 3))), { code: 'unsupported', what: 'zero point', got: 3 }],
  ['a zero point of a row', linear(quantized(perChannel('shifts'))), { code: 'unsupported', got: 7 }],
  ['scales of columns', linear(quantized(perChannel('zeros', 1))), { code: 'unsupported', what: 'axis of scales' }],
  ['a scale of 0', linear(quantized(perTensor(0))), { code: 'corrupt', what: 'scale 0' }],
  ['a scale that is not a number', linear(quantized(perTensor(Number.NaN))), { code: 'corrupt' }],
  [
    'codes without a sign',
    linear(quantized(perTensor(), { type: 'QUInt8Storage' })),
    { code: 'unsupported', got: 'uint8' },
  ],
  ['a vector of codes', linear(quantized(perTensor(), { size: [6] })), { code: 'mismatch', got: '[6]' }],
  [
    'codes of 4 bits, rows that are not whole bytes',
    linear(quantized(perTensor(), { type: 'QUInt4x2Storage' })),
    { code: 'unsupported', what: 'tensor of 4-bit codes' },
  ],
  [
    'a bias of other length',
    linear(quantized(perTensor(), { size: [3, 2] }), vector('bias', 'FloatStorage')),
    { code: 'mismatch', wanted: 'float32 [3]' },
  ],
  ['a bias that is a text', linear(quantized(perTensor()), text('b')), { code: 'corrupt' }],
  ['a weight that is not quantized', linear(vector('bias', 'FloatStorage')), { code: 'unsupported', tensor: 'a' }],
  ['another quantizer', linear(quantized(tuple(text('x')))), { code: 'corrupt', what: 'quantizer of a tensor' }],
  [
    'an unknown part',
    dict(text('a._packed_params.scales'), quantized(perTensor())),
    { code: 'unsupported', got: 'scales' },
  ],
  [
    'a table with one scale',
    dict(text('a._packed_params._packed_weight'), quantized(perTensor(), { type: 'QUInt8Storage' })),
    { code: 'unsupported', got: 'per_tensor_affine' },
  ],
  [
    'a quantized tensor alone',
    dict(
      text('a._packed_params._packed_params'),
      tuple(quantized(perTensor()), none),
      text('b'),
      quantized(perTensor()),
    ),
    { code: 'unsupported', got: 'a quantized tensor' },
  ],
])('%s', async (_, root, error) => {
  expect(await errorOf(root)).toMatchObject({ where: 'q.bin', ...error });
});

const array = (state: Bytes) =>
  build(
    call(
      global('numpy.core.multiarray', '_reconstruct'),
      tuple(global('numpy', 'ndarray'), tuple(integer(0)), bytes(98)),
    ),
    state,
  );
const dtype = (code: string, order = '|') =>
  build(
    call(global('numpy', 'dtype'), tuple(text(code), bool(false), bool(true))),
    tuple(integer(3), text(order), none, none, none, integer(-1), integer(-1), integer(0)),
  );
const state = (shape: number[], type: Bytes, data: Bytes, fortran = false) =>
  tuple(integer(1), tuple(...shape.map(integer)), type, bool(fortran), data);
const data = (value: Bytes) => dict(text('a._packed_params.weight.int_repr.data'), value);

test('arrays of numpy 1 and 2, in bytes and in text', async () => {
  const two = array(state([2], dtype('<i2', '<'), bytes(1, 0, 255, 255)));
  const renamed = new TextDecoder('latin1').decode(Uint8Array.from(two)).replace('numpy.core', 'numpy._core');
  const encoded = call(global('_codecs', 'encode'), tuple(text('\u0001\u0000ÿÿ'), text('latin1')));
  const inText = array(state([2], dtype('<i2', '<'), encoded));
  const buffer: Bytes = [0x96, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 255, 255];
  const fromBuffer = (order: string) =>
    call(
      global('numpy._core.numeric', '_frombuffer'),
      tuple(buffer, dtype('<i2', '<'), tuple(integer(2)), text(order)),
    );
  for (const value of [
    fromBuffer('C'),
    fromBuffer('F'),
    two,
    Array.from(renamed, (letter) => letter.charCodeAt(0)),
    inText,
  ]) {
    const checkpoint = await open(data(value));
    if (checkpoint.stage !== 'elementary') throw new Error('wanted the elementary form');
    expect(await checkpoint.elementary.get('a._packed_params.weight.int_repr.data')).toEqual({
      dtype: 'int16',
      shape: [2],
      data: Int16Array.of(1, -1),
    });
  }
});

test.each<[string, Bytes, object]>([
  ['too few bytes', array(state([3], dtype('i1'), bytes(1, 2))), { code: 'corrupt', got: 2, wanted: 3 }],
  [
    'too few bytes of protocol 5',
    call(global('numpy.core.numeric', '_frombuffer'), tuple(bytes(1), dtype('i1'), tuple(integer(2)), text('C'))),
    { code: 'corrupt', got: 1, wanted: 2 },
  ],
  [
    'protocol 5 without a dtype',
    call(global('numpy.core.numeric', '_frombuffer'), tuple(bytes(1), text('i1'), tuple(integer(1)), text('C'))),
    { code: 'corrupt' },
  ],
  ['big-endian', array(state([1], dtype('>i2', '>'), bytes(1, 2))), { code: 'unsupported', got: '>' }],
  ['columns first', array(state([2, 2], dtype('i1'), bytes(1, 2, 3, 4), true)), { code: 'unsupported' }],
  ['objects', array(state([1], dtype('O'), list(none))), { code: 'unsupported', got: 'O' }],
  ['a list for bytes', array(state([1], dtype('i1'), list(none))), { code: 'unsupported' }],
  ['a negative size', array(state([-1], dtype('i1'), bytes())), { code: 'corrupt' }],
  ['more dimensions than the limit', array(state(Array(9).fill(1), dtype('i1'), bytes(1))), { code: 'limit' }],
  ['a state for a text', build(text('x'), tuple()), { code: 'corrupt' }],
  ['text beyond latin1', call(global('_codecs', 'encode'), tuple(text('€'), text('latin1'))), { code: 'corrupt' }],
  ['another encoding', call(global('_codecs', 'encode'), tuple(text('a'), text('rot13'))), { code: 'corrupt' }],
  ['a number that is not a scale', float(1), { code: 'unsupported', got: 'number 1' }],
])('an array of numpy: %s', async (_, value, error) => {
  expect(await errorOf(data(value))).toMatchObject({ where: 'q.bin', ...error });
});
