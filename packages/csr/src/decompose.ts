import {
  type CsrMatrix,
  checkReadableMap,
  type DenseInt8Matrix,
  type Dtype,
  type Elementary,
  embeddingNames,
  entriesOf,
  linearNames,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type QuantizedStateDict,
  scalar,
  type Tensor,
  type TensorData,
  tensor,
} from '@prune/core';
import { CODE_DTYPES } from './code-dtypes.js';
import { toCsr } from './to-csr.js';

/**
 * The notebook's elementary form of a quantized state dict whose weights are dense or CSR, one entry at a time, two modules in memory (see `entriesOf`):
 *
 *     X.scale float32 [] = 1, X.zero_point int64 [] = 0            the output's, unused by a dynamic Linear
 *     X._packed_params.dtype "qint8"
 *     X._packed_params.weight.scale float64 []                     [rows] when there is one a row
 *     X._packed_params.weight.zero_point int64 [] = 0              [rows]
 *     X._packed_params.weight.int_repr.data int8 [nnz], .indptr int32 [rows + 1], .indices uint16 or int32 [nnz], .shape int64 [2]
 *     X._packed_params.bias float32 [rows]                         absent for bias=None
 *
 * A quantized table is `X._packed_params.dtype` "quint8" or "quint4x2" and `X._packed_params._packed_weight` with `.scale` and `.zero_point`
 * float32 [rows], `.int_repr` uint8 [rows, columns] or [rows, ceil(columns / 2)] and `.int_repr.shape` int64 [2]. Other tensors pass unchanged.
 */
export async function* decompose(
  quantized: QuantizedStateDict<DenseInt8Matrix | CsrMatrix>,
): AsyncGenerator<[name: string, value: Elementary], void, undefined> {
  checkReadableMap('csr', 'quantized state dict of decompose', quantized);
  for await (const [name, entry] of entriesOf(quantized)) {
    if (!('kind' in entry)) yield [name, entry];
    else if (entry.kind === 'linear') yield* linearEntries(name, entry);
    else yield* embeddingEntries(name, entry);
  }
}

function* linearEntries(
  module: string,
  linear: QuantizedLinear<DenseInt8Matrix | CsrMatrix>,
): Generator<[string, Elementary]> {
  const { weight, scales, bias } = linear;
  const [rows, columns] = weight.shape;
  const names = linearNames(module);
  const perChannel = linear.qscheme === 'per_channel_affine';
  const at = { where: 'csr', tensor: module };
  yield [names.outputScale, scalar('float32', 1)];
  yield [names.outputZeroPoint, scalar('int64', 0n)];
  yield [names.dtype, CODE_DTYPES.linear];
  yield [names.scale, tensor('float64', perChannel ? [rows] : [], Float64Array.from(scales), at)];
  yield [names.zeroPoint, tensor('int64', perChannel ? [rows] : [], new BigInt64Array(scales.length), at)];
  const { indptr, indices, data } = 'intRepr' in weight ? toCsr(weight) : weight;
  yield [names.data, array('int8', [data.length], data)];
  yield [names.indptr, array('int32', [indptr.length], indptr)];
  const dtype: Dtype = indices instanceof Uint16Array ? 'uint16' : 'int32';
  yield [names.indices, array(dtype, [indices.length], indices)];
  yield [names.shape, tensor('int64', [2], BigInt64Array.of(BigInt(rows), BigInt(columns)))];
  if (bias !== null) yield [names.bias, bias];
}

function* embeddingEntries(module: string, table: QuantizedEmbedding): Generator<[string, Elementary]> {
  const { bits, shape, intRepr, scales, zeroPoints } = table;
  const [rows, columns] = shape;
  const names = embeddingNames(module);
  const stride = bits === 8 ? columns : Math.ceil(columns / 2);
  yield [names.dtype, CODE_DTYPES[bits]];
  yield [names.scale, array('float32', [rows], scales)];
  yield [names.zeroPoint, array('float32', [rows], zeroPoints)];
  yield [names.intRepr, array('uint8', [rows, stride], intRepr)];
  yield [names.shape, tensor('int64', [2], BigInt64Array.of(BigInt(rows), BigInt(columns)))];
}

/** A tensor over an array of a stage's own type, which TypeScript lets stand on shared memory too. */
function array(dtype: Dtype, shape: readonly number[], data: ArrayBufferView): Tensor {
  return tensor(dtype, shape, data as TensorData, { where: 'csr' });
}
