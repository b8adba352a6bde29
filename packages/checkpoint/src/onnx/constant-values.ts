import {
  DTYPES,
  type Dtype,
  PruneError,
  type QuantizedEmbedding,
  type QuantizedLinear,
  type Tensor,
  tensor,
  toFloat32,
} from '@prune/core';
import type { OnnxTensor } from './onnx-graph.js';
import type { TensorReader } from './tensor-reader.js';
import type { Constant, Quantizer } from './values.js';

type Matrix<T> = { readonly data: T; readonly shape: readonly [rows: number, columns: number] };

/** The dtype that {@link readFloats} gives a constant. */
export function dtypeOf({ tensor: { dtype }, quantizer }: Constant): Dtype {
  return quantizer === undefined ? dtype : 'float32';
}

/**
 * A table or a vector in its own dtype, or in float32 where it is stored as codes: `(code - zero point) * scale`,
 * rounded once.
 */
export async function readFloats(constant: Constant, shape: readonly number[], reader: TensorReader): Promise<Tensor> {
  const { data } = await readAsUsed(constant, reader);
  return tensor(dtypeOf(constant), shape, data as never, { where: reader.name, tensor: constant.tensor.name });
}

/** The matrix `[out, in]` of a Linear, whose constant is `[in, out]` as the graph uses it. */
export async function readLinearMatrix(constant: Constant, reader: TensorReader): Promise<Tensor> {
  const { data, shape } = transposedUnless(await readAsUsed(constant, reader), constant);
  return tensor(dtypeOf(constant), shape, data as never, { where: reader.name, tensor: constant.tensor.name });
}

/** The stored matrix or vector, dequantized if it is stored as codes, with the columns that the graph takes. */
async function readAsUsed(constant: Constant, reader: TensorReader): Promise<Matrix<Tensor['data']>> {
  const stored = await reader.read(constant.tensor);
  const rows = stored.shape.length === 2 ? stored.shape[0] : 1;
  const columns = rows === 0 ? 0 : stored.data.length / rows;
  const data = constant.quantizer === undefined ? stored.data : await dequantized(stored, constant, reader);
  return takeColumns({ data, shape: [rows, columns] }, constant.columns);
}

async function dequantized(stored: Tensor, { tensor: { name }, quantizer }: Constant, reader: TensorReader) {
  const { scale, zeroPoint, axis } = quantizer!;
  const scales = toFloat32(await reader.read(scale), { tensor: scale.name }).data;
  const zeros = zeroPoint === undefined ? undefined : ((await reader.read(zeroPoint)).data as ArrayLike<number>);
  checkCount(scales, stored.shape, axis, name);
  if (zeros !== undefined) checkCount(zeros, stored.shape, axis, name);
  const codes = stored.data as ArrayLike<number>;
  const inner = stored.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const floats = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    const channel = scales.length === 1 ? 0 : Math.floor(i / inner) % scales.length;
    const zero = zeros === undefined ? 0 : zeros[zeros.length === 1 ? 0 : channel];
    // onnxruntime makes a float32 of the integer first, which rounds those of a bias (int32).
    floats[i] = Math.fround(codes[i] - zero) * scales[channel];
  }
  return floats;
}

function checkCount({ length }: ArrayLike<number>, shape: readonly number[], axis: number, name: string): void {
  if (length === 1 || length === shape[axis]) return;
  const wanted = `1 or ${shape[axis] ?? 1}`;
  throw new PruneError('mismatch', { what: 'scales or zero points of a tensor', got: length, wanted, tensor: name });
}

/**
 * A Linear with its codes. Codes are kept where the zero point is 0, and otherwise as code minus zero point, which has
 * to fit an int8. Throws `unsupported` with the first code that does not fit, and for scales of input columns.
 */
export async function readQuantizedLinear(
  constant: Constant & { readonly quantizer: Quantizer },
  bias: Tensor<'float32'> | null,
  reader: TensorReader,
): Promise<QuantizedLinear> {
  const { tensor: stored, quantizer } = constant;
  const place = { where: reader.name, tensor: stored.name };
  const { data } = await reader.read(stored);
  const matrix = takeColumns({ data: data as Int8Array<ArrayBuffer>, shape: matrixShape(stored) }, constant.columns);
  const { data: codes, shape } = transposedUnless(matrix, constant);
  const [rows, columns] = shape;
  const outAxis = constant.transposed ? 0 : 1;
  const scales = await channelNumbers(quantizer.scale, constant, rows, outAxis, reader);
  const zeros =
    quantizer.zeroPoint === undefined
      ? [0]
      : await channelNumbers(quantizer.zeroPoint, constant, rows, outAxis, reader);
  const bad = scales.findIndex((scale) => !(scale > 0 && scale < Number.POSITIVE_INFINITY));
  if (bad !== -1) {
    throw new PruneError('corrupt', {
      ...place,
      what: `scale ${bad}`,
      got: scales[bad],
      wanted: 'a finite number above 0',
    });
  }
  const intRepr = new Int8Array(codes.length);
  for (let row = 0; row < rows; row++) {
    const zero = zeros[zeros.length === 1 ? 0 : row];
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      const value = codes[i] - zero;
      if (value < -128 || value > 127) {
        const wanted = 'code minus zero point from -128 to 127';
        throw new PruneError('unsupported', {
          ...place,
          what: 'code of a weight',
          got: `code ${codes[i]}, zero point ${zero}`,
          wanted,
        });
      }
      intRepr[i] = value;
    }
  }
  return {
    kind: 'linear',
    qscheme: scales.length === 1 ? 'per_tensor_affine' : 'per_channel_affine',
    scales: Float64Array.from(scales),
    weight: { shape: [rows, columns], intRepr },
    bias,
  };
}

/** One number, or one for each row of the Linear's matrix. */
async function channelNumbers(
  from: OnnxTensor,
  { tensor: of, quantizer, columns }: Constant,
  rows: number,
  outAxis: number,
  reader: TensorReader,
): Promise<number[]> {
  const place = { where: reader.name, tensor: of.name };
  const { dtype, data } = await reader.read(from);
  const numbers = Array.from(
    dtype === 'float16' ? toFloat32({ dtype, data, shape: from.shape } as Tensor).data : (data as ArrayLike<number>),
  );
  if (numbers.length === 1) return numbers;
  if (quantizer!.axis !== outAxis) {
    const wanted = 'one for each output';
    throw new PruneError('unsupported', {
      ...place,
      what: 'scales for each input of a Linear',
      got: `axis ${quantizer!.axis}`,
      wanted,
    });
  }
  const taken = columns === undefined ? numbers : numbers.slice(...columns);
  if (taken.length === rows) return taken;
  throw new PruneError('mismatch', {
    ...place,
    what: 'scales or zero points',
    got: taken.length,
    wanted: `1 or ${rows}`,
  });
}

/** How a table's rows are dequantized as `code * scale + offset`, with codes from 0 to 255. */
export interface RowQuantizers {
  readonly scales: Float32Array;
  readonly zeroPoints: Float32Array;
  /** What is added to each stored code. */
  readonly shift: 0 | 128;
}

/**
 * The quantizers of a table whose codes can be kept, or `undefined` where only floats have exactly its numbers. A
 * quantized table is computed as `code * scale + offset` with `offset = -zero point * scale` rounded. That equals
 * onnxruntime's `(code - zero point) * scale` where the offset is exact, e.g. for a zero point of 128.
 */
export async function rowQuantizers(
  { tensor: stored, quantizer }: Constant & { readonly quantizer: Quantizer },
  reader: TensorReader,
): Promise<RowQuantizers | undefined> {
  const [rows] = matrixShape(stored);
  const scales = toFloat32(await reader.read(quantizer.scale), { tensor: quantizer.scale.name }).data;
  const { zeroPoint } = quantizer;
  const zeros = zeroPoint === undefined ? [0] : ((await reader.read(zeroPoint)).data as ArrayLike<number>);
  const fits = ({ length }: ArrayLike<number>) => length === 1 || (length === rows && quantizer.axis === 0);
  if (!fits(scales) || !fits(zeros)) return undefined;
  const shift = stored.dtype === 'int8' ? 128 : 0;
  const byRow = (numbers: ArrayLike<number>, add: number) =>
    Float32Array.from({ length: rows }, (_, row) => numbers[numbers.length === 1 ? 0 : row] + add);
  const found = { scales: byRow(scales, 0), zeroPoints: byRow(zeros, shift), shift } as const;
  const exact = found.zeroPoints.every(
    (zero, row) => Math.fround(zero * found.scales[row]) === zero * found.scales[row],
  );
  return exact ? found : undefined;
}

/** A table with its codes. */
export async function readQuantizedTable(
  { tensor: stored }: Constant,
  { scales, zeroPoints, shift }: RowQuantizers,
  reader: TensorReader,
): Promise<QuantizedEmbedding> {
  const codes = (await reader.read(stored)).data as Uint8Array | Int8Array;
  const intRepr = shift === 0 ? (codes as Uint8Array) : Uint8Array.from(codes, (code) => code + shift);
  return { kind: 'embedding', bits: 8, shape: matrixShape(stored), intRepr, scales, zeroPoints };
}

function matrixShape({ name, shape }: OnnxTensor): readonly [number, number] {
  if (shape.length === 2) return [shape[0], shape[1]];
  throw new PruneError('mismatch', { what: 'shape', got: `[${shape.join(', ')}]`, wanted: 'a matrix', tensor: name });
}

function takeColumns<T extends Tensor['data']>(
  { data, shape: [rows, columns] }: Matrix<T>,
  range: readonly [begin: number, end: number] | undefined,
): Matrix<T> {
  if (range === undefined) return { data, shape: [rows, columns] };
  const [begin, end] = range;
  const width = end - begin;
  const taken = sameArray(data, rows * width);
  for (let row = 0; row < rows; row++) {
    taken.set(data.subarray(row * columns + begin, row * columns + end) as never, row * width);
  }
  return { data: taken, shape: [rows, width] };
}

/** `[out, in]`: the transpose of a matrix, unless the graph transposes it itself. */
function transposedUnless<T extends Tensor['data']>({ data, shape }: Matrix<T>, { transposed }: Constant): Matrix<T> {
  if (transposed) return { data, shape };
  const [rows, columns] = shape;
  const turned = sameArray(data, data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = data[row * columns + column];
  }
  return { data: turned, shape: [columns, rows] };
}

function sameArray<T extends Tensor['data']>(data: T, length: number): T {
  const found = Object.values(DTYPES).find(({ array }) => data instanceof array)!;
  return new found.array(length) as T;
}
