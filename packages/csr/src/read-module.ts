import {
  CSR_ARRAY_DTYPES,
  type CsrMatrix,
  type CsrRows,
  type Dtype,
  type Elementary,
  type ElementaryInfo,
  type ElementaryStateDict,
  elementCount,
  embeddingNames,
  type Limits,
  linearNames,
  newColumnIndices,
  PruneError,
  partName,
  type QuantizedEmbedding,
  type QuantizedLinear,
  shown,
  type Tensor,
  WEIGHT_MATRIX,
  type WeightScales,
} from '@prune/core';
import { CODE_DTYPES } from './code-dtypes.js';
import { type IntegerDtype, isIntegerDtype, toIntegerDtype } from './to-integer-dtype.js';
import { validateCsr } from './validate-csr.js';

/** Where the parts of a module come from. */
export interface ModuleReader {
  readonly limits: Limits;
  get(name: string): Promise<Elementary | undefined>;
  rows(name: string): Promise<CsrRows | undefined>;
  info(name: string): ElementaryInfo | undefined;
  selectRows: NonNullable<ElementaryStateDict['selectRows']>;
}

/** A table of rows that its store may read without the others. */
export interface TableRows {
  /** Of the whole table, `[rows, columns]`. */
  readonly shape: readonly number[];
  /**
   * The table of these rows alone, in their order, each part checked; `undefined` when the store has the whole table
   * only. Without any row it tells what the store can do. Throws `invalid-argument` for a row that there is not.
   */
  select(
    rows: ArrayLike<number>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<QuantizedEmbedding | Tensor | undefined>;
}

/** How the weight of a Linear, of the declared shape, is read. */
export type WeightReader<M> = (reader: ModuleReader, module: string, shape: readonly [number, number]) => Promise<M>;

/** The quantized Linear `module`, every part checked. */
export async function readLinear<M>(
  reader: ModuleReader,
  module: string,
  readWeight: WeightReader<M>,
): Promise<QuantizedLinear<M>> {
  const names = linearNames(module);
  // torch 1.4 has no dtype entry, and no dtype but qint8.
  const dtype = await codeDtype(reader, names.dtype);
  if (dtype !== undefined && dtype !== CODE_DTYPES.linear) {
    fail('unsupported', names.dtype, 'codes of a Linear', dtype, CODE_DTYPES.linear);
  }
  await checkOutputQuantization(reader, names);
  const shape = await readShape(reader, names.shape);
  const weight = await readWeight(reader, module, shape);
  const scales = await readScales(reader, names, shape[0]);
  const bias = await optionalTensor(reader, names.bias, ['float32'], [[shape[0]]]);
  return { kind: 'linear', weight, ...scales, bias: bias ?? null };
}

/** The quantized embedding table `module`, every part checked. */
export async function readEmbedding(reader: ModuleReader, module: string): Promise<QuantizedEmbedding> {
  const form = await embeddingForm(reader, module);
  const parts: (Elementary | undefined)[] = [];
  for (const name of form.parts) parts.push(await reader.get(name));
  return checkedEmbedding(form, parts, form.shape[0]);
}

/**
 * The table `module`, quantized or float, whose rows the store may read without the others; `undefined` when the store
 * does not tell what is needed to ask for rows.
 */
export async function readTableRows(
  reader: ModuleReader,
  module: string,
  kind: 'embedding' | 'tensor',
): Promise<TableRows | undefined> {
  if (kind === 'tensor') {
    const info = reader.info(module);
    if (info === undefined || info.dtype === 'string' || info.shape.length === 0) return undefined;
    const { dtype, shape } = info;
    return tableRows(reader, module, shape, [module], ([found], rows) =>
      checkedTensor(found, module, [dtype], [[rows.length, ...shape.slice(1)]]),
    );
  }
  const form = await embeddingForm(reader, module);
  for (const name of form.parts) {
    const stored = reader.info(name)?.shape;
    if (stored !== undefined && stored[0] !== form.shape[0]) {
      fail('mismatch', name, 'rows do not fit the table', `[${stored.join(', ')}]`, `${form.shape[0]} rows`);
    }
  }
  return tableRows(reader, module, form.shape, form.parts, (parts, rows) =>
    checkedEmbedding(form, parts, rows.length, rows),
  );
}

function tableRows<T extends Tensor | QuantizedEmbedding>(
  reader: ModuleReader,
  name: string,
  shape: readonly number[],
  parts: readonly string[],
  check: (found: readonly (Tensor | undefined)[], rows: ArrayLike<number>) => T,
): TableRows {
  return {
    shape,
    async select(rows, options) {
      for (let i = 0; i < rows.length; i++) {
        if (Number.isInteger(rows[i]) && rows[i] >= 0 && rows[i] < shape[0]) continue;
        fail('invalid-argument', name, 'not a row of the table', shown(rows[i]), `0 to ${shape[0] - 1}`);
      }
      const found = await reader.selectRows(parts, rows, options);
      return found && check(found, rows);
    },
  };
}

/** What the parts of a quantized table must be. */
interface EmbeddingForm extends Pick<QuantizedEmbedding, 'bits' | 'shape'> {
  /** The names of its scales, zero points and codes. */
  readonly parts: readonly [scale: string, zeroPoint: string, intRepr: string];
}

async function embeddingForm(reader: ModuleReader, module: string): Promise<EmbeddingForm> {
  const names = embeddingNames(module);
  const dtype = await codeDtype(reader, names.dtype);
  if (dtype !== CODE_DTYPES[8] && dtype !== CODE_DTYPES[4]) {
    fail('unsupported', names.dtype, 'codes of a table', dtype ?? 'nothing', `${CODE_DTYPES[8]} or ${CODE_DTYPES[4]}`);
  }
  const shape = await readShape(reader, names.shape);
  return { bits: dtype === CODE_DTYPES[8] ? 8 : 4, shape, parts: [names.scale, names.zeroPoint, names.intRepr] };
}

/** A table of `count` rows from its parts. `numbers`: which rows of the stored table these are, for messages. */
function checkedEmbedding(
  { bits, shape: [, columns], parts: [scale, zeroPoint, intRepr] }: EmbeddingForm,
  parts: readonly (Elementary | undefined)[],
  count: number,
  numbers?: ArrayLike<number>,
): QuantizedEmbedding {
  const stride = bits === 8 ? columns : Math.ceil(columns / 2);
  const scales = checkedTensor(parts[0], scale, ['float32'], [[count]]).data;
  const zeroPoints = checkedTensor(parts[1], zeroPoint, ['float32'], [[count]]).data;
  const codes = checkedTensor(parts[2], intRepr, ['uint8'], [[count, stride]]).data;
  checkScales(scales, scale, numbers);
  const bad = zeroPoints.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1) {
    fail('corrupt', zeroPoint, `element ${numbers?.[bad] ?? bad}`, zeroPoints[bad], 'a finite number');
  }
  return { kind: 'embedding', bits, shape: [count, columns], intRepr: codes, scales, zeroPoints };
}

/** The weight of the Linear `module` in arrays, which have passed `validateCsr`. */
export async function readCsr(
  reader: ModuleReader,
  module: string,
  shape: readonly [number, number],
): Promise<CsrMatrix> {
  const names = linearNames(module);
  const indptr = (await requiredTensor(reader, names.indptr, CSR_ARRAY_DTYPES.indptr, [[shape[0] + 1]])).data;
  const data = (await requiredTensor(reader, names.data, CSR_ARRAY_DTYPES.data, [[undefined]])).data;
  const indices = (await requiredTensor(reader, names.indices, CSR_ARRAY_DTYPES.indices, [[data.length]])).data;
  const weight = { shape, indptr, indices: canonicalIndices(indices, shape[1], names.indices), data };
  validateCsr(weight, { tensor: module });
  return weight;
}

/** The weight as rows, for a store that has them; else in arrays. */
export async function readRows(
  reader: ModuleReader,
  module: string,
  shape: readonly [number, number],
): Promise<CsrMatrix | CsrRows> {
  const name = partName(module, WEIGHT_MATRIX);
  const stored = await reader.rows(name);
  if (stored === undefined) return readCsr(reader, module, shape);
  if (stored.shape[0] !== shape[0] || !(stored.shape[1] <= shape[1])) {
    fail('mismatch', name, 'matrix does not fit its shape', `[${stored.shape.join(', ')}]`, `[${shape.join(', ')}]`);
  }
  return { shape, nnz: stored.nnz, forEachRow: (visit) => stored.forEachRow(visit) };
}

/** scipy's own int32 is taken for narrow matrices too, and becomes uint16. */
function canonicalIndices(indices: Uint16Array | Int32Array, columns: number, name: string): Uint16Array | Int32Array {
  const canonical = newColumnIndices(columns, 0);
  if (indices.constructor === canonical.constructor) return indices;
  const bad = indices.findIndex((column) => column < 0 || column >= columns);
  if (bad !== -1) fail('corrupt', name, `element ${bad} is no column`, indices[bad], `0 to ${columns - 1}`);
  const converted = newColumnIndices(columns, indices.length);
  converted.set(indices);
  return converted;
}

async function readShape(reader: ModuleReader, name: string): Promise<[rows: number, columns: number]> {
  const { data } = await requiredTensor(reader, name, ['int64'], [[2]]);
  const shape: [number, number] = [Number(data[0]), Number(data[1])];
  elementCount({ dtype: 'int8', shape }, { where: 'csr', tensor: name }, reader.limits);
  return shape;
}

async function readScales(
  reader: ModuleReader,
  names: ReturnType<typeof linearNames>,
  rows: number,
): Promise<WeightScales> {
  const scale = await requiredTensor(reader, names.scale, ['float64', 'float32'], [[], [rows]]);
  const zeroPoint = await requiredTensor(reader, names.zeroPoint, ['int64'], [scale.shape]);
  const shifted = zeroPoint.data.findIndex((value) => value !== 0n);
  if (shifted !== -1) {
    const got = `${zeroPoint.data[shifted]}`;
    fail('unsupported', names.zeroPoint, 'weight that is not quantized symmetrically', got, 'zero points of 0');
  }
  const scales = Float64Array.from(scale.data);
  checkScales(scales, names.scale);
  return { qscheme: scale.shape.length === 0 ? 'per_tensor_affine' : 'per_channel_affine', scales };
}

function checkScales(scales: Float64Array | Float32Array, name: string, numbers?: ArrayLike<number>) {
  const bad = scales.findIndex((scale) => !(scale > 0 && scale < Number.POSITIVE_INFINITY));
  if (bad === -1) return;
  fail('corrupt', name, `element ${numbers?.[bad] ?? bad} is no scale`, scales[bad], 'a positive number');
}

/** A dynamic Linear keeps an unused output scale of 1 and zero point of 0. Others belong to a statically quantized one, which computes otherwise. */
async function checkOutputQuantization(
  reader: ModuleReader,
  { outputScale, outputZeroPoint }: ReturnType<typeof linearNames>,
) {
  const scale = await optionalTensor(reader, outputScale, ['float32', 'float64'], [[]]);
  const zeroPoint = await optionalTensor(reader, outputZeroPoint, ['int64'], [[]]);
  if (scale !== undefined && scale.data[0] !== 1) {
    fail('unsupported', outputScale, 'statically quantized Linear', scale.data[0], 'an output scale of 1');
  }
  if (zeroPoint !== undefined && zeroPoint.data[0] !== 0n) {
    fail('unsupported', outputZeroPoint, 'statically quantized Linear', `${zeroPoint.data[0]}`, 'a zero point of 0');
  }
}

/** The code dtype as h5py writes it; `str(torch.qint8)` is "torch.qint8". */
async function codeDtype(reader: ModuleReader, name: string): Promise<string | undefined> {
  const value = await reader.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') fail('mismatch', name, 'not a string', `${value.dtype}`, `"${CODE_DTYPES.linear}"`);
  return value.replace(/^torch\./, '');
}

type ShapePattern = readonly (number | undefined)[];

async function requiredTensor<D extends Dtype>(
  reader: ModuleReader,
  name: string,
  dtypes: readonly D[],
  shapes: readonly ShapePattern[],
): Promise<TensorOf<D>> {
  return checkedTensor(await reader.get(name), name, dtypes, shapes);
}

function checkedTensor<D extends Dtype>(
  value: Elementary | undefined,
  name: string,
  dtypes: readonly D[],
  shapes: readonly ShapePattern[],
): TensorOf<D> {
  if (value === undefined) fail('missing', name, 'not there', 'nothing', `${dtypes.join(' or ')}`);
  return presentTensor(value, name, dtypes, shapes);
}

/** One member a dtype, so that the type of `data` follows from `dtype`. */
type TensorOf<D extends Dtype> = D extends Dtype ? Tensor<D> : never;

async function optionalTensor<D extends Dtype>(
  reader: ModuleReader,
  name: string,
  dtypes: readonly D[],
  shapes: readonly ShapePattern[],
): Promise<TensorOf<D> | undefined> {
  const value = await reader.get(name);
  return value === undefined ? undefined : presentTensor(value, name, dtypes, shapes);
}

/**
 * A tensor of one of these dtypes and shapes. Indices, sizes and zero points may have another integer dtype, and are
 * given in the last one.
 */
function presentTensor<D extends Dtype>(
  value: Elementary,
  name: string,
  dtypes: readonly D[],
  shapes: readonly ShapePattern[],
): TensorOf<D> {
  const wanted = () =>
    `${dtypes.join(' or ')} ${shapes.map((shape) => `[${shape.map((n) => n ?? 'n')}]`).join(' or ')}`;
  if (typeof value === 'string') fail('mismatch', name, 'not a tensor', JSON.stringify(value), wanted());
  const last = dtypes.at(-1)!;
  // Not codes, int8 or uint8: those of another dtype belong to another scheme.
  const isConvertible = isIntegerDtype(value.dtype) && (last === 'int32' || last === 'int64');
  if (!(isOneOf(value, dtypes) || isConvertible) || !shapes.some((shape) => fits(value.shape, shape))) {
    fail('mismatch', name, 'wrong kind of tensor', `${value.dtype} [${value.shape.join(', ')}]`, wanted());
  }
  if (isOneOf(value, dtypes)) return value;
  return toIntegerDtype(value, last as IntegerDtype, name) as TensorOf<D>;
}

function isOneOf<D extends Dtype>(value: Tensor, dtypes: readonly D[]): value is TensorOf<D> {
  return (dtypes as readonly Dtype[]).includes(value.dtype);
}

function fits(shape: readonly number[], pattern: ShapePattern): boolean {
  return shape.length === pattern.length && pattern.every((n, axis) => n === undefined || n === shape[axis]);
}

function fail(
  code: 'missing' | 'mismatch' | 'corrupt' | 'unsupported' | 'invalid-argument',
  tensor: string,
  what: string,
  got: string | number,
  wanted: string | number,
): never {
  throw new PruneError(code, { where: 'csr', tensor, what, got, wanted });
}
