import { expect, test } from 'vitest';
import {
  CSR_ARRAY_DTYPES,
  CSR_ARRAYS,
  csrArrayNames,
  csrArrayOf,
  EMBEDDING_PARTS,
  embeddingNames,
  INT_REPR,
  intReprArrayOf,
  isShapeName,
  LINEAR_PARTS,
  linearNames,
  outputModuleOf,
  packedParamsName,
  partName,
  splitPartName,
  WEIGHT_MATRIX,
} from './elementary-names.js';

test("the notebook's names of a Linear", () => {
  expect(linearNames('bert.pooler.dense')).toEqual({
    outputScale: 'bert.pooler.dense.scale',
    outputZeroPoint: 'bert.pooler.dense.zero_point',
    dtype: 'bert.pooler.dense._packed_params.dtype',
    scale: 'bert.pooler.dense._packed_params.weight.scale',
    zeroPoint: 'bert.pooler.dense._packed_params.weight.zero_point',
    data: 'bert.pooler.dense._packed_params.weight.int_repr.data',
    indptr: 'bert.pooler.dense._packed_params.weight.int_repr.indptr',
    indices: 'bert.pooler.dense._packed_params.weight.int_repr.indices',
    shape: 'bert.pooler.dense._packed_params.weight.int_repr.shape',
    bias: 'bert.pooler.dense._packed_params.bias',
  });
  expect(packedParamsName('qa')).toBe('qa._packed_params');
  expect(partName('qa', WEIGHT_MATRIX)).toBe('qa._packed_params.weight.int_repr');
});

test('the names of an embedding table', () => {
  expect(embeddingNames('e')).toEqual({
    dtype: 'e._packed_params.dtype',
    scale: 'e._packed_params._packed_weight.scale',
    zeroPoint: 'e._packed_params._packed_weight.zero_point',
    intRepr: 'e._packed_params._packed_weight.int_repr',
    shape: 'e._packed_params._packed_weight.int_repr.shape',
  });
});

test('the arrays of a matrix, their names and dtypes in one order', () => {
  expect(CSR_ARRAYS).toEqual(['data', 'indices', 'indptr']);
  expect(Object.keys(CSR_ARRAY_DTYPES)).toEqual(CSR_ARRAYS);
  const names = csrArrayNames(partName('X', WEIGHT_MATRIX));
  expect(Object.keys(names)).toEqual(CSR_ARRAYS);
  const { data, indices, indptr } = linearNames('X');
  expect(names).toEqual({ data, indices, indptr });
});

test.each([
  ['', undefined],
  ['X', undefined],
  ['X._packed_params', undefined],
  ['_packed_params.dtype', undefined],
  ['._packed_params.dtype', undefined],
  ['X_packed_params.dtype', undefined],
  ['X._packed_params.', { module: 'X', part: '' }],
  ['X._packed_params.bias', { module: 'X', part: LINEAR_PARTS.bias }],
  ['X.y._packed_params.weight.int_repr.data', { module: 'X.y', part: LINEAR_PARTS.data }],
  ['X._packed_params._packed_weight.scale', { module: 'X', part: EMBEDDING_PARTS.scale }],
  ['X._packed_params.Y._packed_params.bias', { module: 'X._packed_params.Y', part: LINEAR_PARTS.bias }],
])('"%s" by module and part', (name, split) => {
  expect(splitPartName(name)).toEqual(split);
});

test.each([
  ['', undefined],
  ['data', undefined],
  ['m.datum', undefined],
  ['m.data.shape', undefined],
  ['m.constructor', undefined],
  ['.data', { matrix: '', array: 'data' }],
  ['m.data', { matrix: 'm', array: 'data' }],
  ['a.b\n.indices', { matrix: 'a.b\n', array: 'indices' }],
  ['m.data.indptr', { matrix: 'm.data', array: 'indptr' }],
])('"%s" as an array of a matrix', (name, found) => {
  expect(csrArrayOf(name)).toEqual(found);
});

test.each([
  ['m.data', undefined],
  ['int_repr.data', undefined],
  ['m.int_repr', undefined],
  ['m.int_repr.shape', undefined],
  [`m${INT_REPR}.data`, 'data'],
  [linearNames('X').indices, 'indices'],
  [linearNames('X').indptr, 'indptr'],
])('"%s" as an array of codes', (name, array) => {
  expect(intReprArrayOf(name)).toBe(array);
});

test.each([
  ['shape', false],
  ['m.shape', false],
  ['int_repr.shape', false],
  [linearNames('X').data, false],
  [linearNames('X').shape, true],
  [embeddingNames('X').shape, true],
])('whether "%s" is a shape: %s', (name, is) => {
  expect(isShapeName(name)).toBe(is);
});

test.each([
  ['scale', undefined],
  ['.scale', undefined],
  ['X.layer_scale', undefined],
  ['X.scale', 'X'],
  ['X\ny.zero_point', 'X\ny'],
])('"%s" may belong to the output of module %s', (name, module) => {
  expect(outputModuleOf(name)).toBe(module);
});
