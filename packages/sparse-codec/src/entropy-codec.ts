import {
  type Codec,
  type CodecGroup,
  CSR_ARRAY_DTYPES,
  CSR_ARRAYS,
  type CsrMatrix,
  csrArrayNames,
  csrFault,
  DTYPES,
  type Dtype,
  type EncodedPiece,
  INT_REPR,
  type Limits,
  type NamedInfo,
  type NamedTensor,
  Pacer,
  type Tensor,
  type TensorData,
  tensor,
} from '@prune/core';
import { corrupt } from './corrupt.js';
import { checkPreset, DEFAULT_PRESET, type EncodeOptions, encodeWithinExpansion, MAX_COLUMNS } from './encode-csr.js';
import { checkExpansion, MAX_EXPANSION } from './expansion.js';
import { decodeFloats, encodeFloats } from './float-block.js';
import { joined } from './joined.js';
import { type CsrStream, openCsr } from './open-csr.js';
import { sizeOf } from './size-of.js';
import { decodeTable, encodeTable } from './table-block.js';
import { isPart, type Part, partOf, TABLE_PARTS, tableWidth } from './table-parts.js';

/** The parts of a CSR matrix `X.int_repr`. The first one gives a group its key. */
const CSR_PARTS: readonly Part[] = CSR_ARRAYS.map((array) => ({
  ending: csrArrayNames(INT_REPR)[array],
  dtypes: CSR_ARRAY_DTYPES[array],
}));

/** Smaller tensors cost less in a manifest than a block of their own does. */
const SMALLEST = 256;

/** Dtypes of dense tensors that are coded alone. */
const FLOATS: readonly string[] = ['float32', 'float16', 'bfloat16'];

/** What a block holds, known from the names in it. */
type Kind = 'csr' | 'table' | 'floats';

/**
 * The container's codec `entropy`: CSR triples (`X.int_repr.data`, `.indptr`, `.indices`) by `encodeCsr`, quantized embedding tables and float
 * tensors by the transform that suits them. It leaves to the next codec: other tensors, a group that is not a valid
 * triple, a matrix of more than 65,535 columns, and what would expand beyond `MAX_EXPANSION` when it is decoded.
 * `decode` needs no options. Throws `invalid-argument` for an unknown preset when the first matrix is encoded.
 */
export function entropyCodec(options: EncodeOptions = {}): Codec {
  const preset = options.preset ?? DEFAULT_PRESET;
  return {
    name: 'entropy',
    group: groupOf,
    async encode(tensors) {
      const kind = kindOf(tensors);
      if (kind === undefined) return undefined;
      const pieces = await encodeKind(kind, tensors, preset);
      if (pieces === undefined) return undefined;
      const size = pieces.reduce((sum, { bytes }) => sum + bytes.length, 0);
      const raw = tensors.reduce((sum, { data }) => sum + data.byteLength, 0);
      return size >= raw || raw > MAX_EXPANSION * size ? undefined : pieces;
    },
    async decode(bytes, infos, limits) {
      const kind = kindOf(infos);
      if (kind === undefined) {
        throw corrupt('block holds what this codec does not code', `${infos.length} tensors, ${infos[0]?.name}`);
      }
      return decodeKind(kind, bytes, infos, limits);
    },
    rows: (bytes, infos, limits) => (kindOf(infos) === 'csr' ? openDeclared(bytes, infos, limits) : undefined),
  };
}

function groupOf({ name, dtype, shape }: NamedInfo): CodecGroup | undefined {
  for (const parts of [CSR_PARTS, TABLE_PARTS]) {
    const part = parts.find((part) => isPart({ name, dtype }, part));
    if (part !== undefined) {
      return { key: `${name.slice(0, -part.ending.length)}${parts[0].ending}`, size: parts.length };
    }
  }
  const bytes = shape.reduce((product, n) => product * n, DTYPES[dtype].bytes);
  return FLOATS.includes(dtype) && bytes >= SMALLEST ? { key: name, size: 1 } : undefined;
}

function kindOf(infos: readonly NamedInfo[]): Kind | undefined {
  const has = (parts: readonly Part[]) =>
    infos.length === parts.length && parts.every((part) => infos.some((info) => isPart(info, part)));
  if (has(CSR_PARTS)) return 'csr';
  if (has(TABLE_PARTS)) return 'table';
  return infos.length === 1 && FLOATS.includes(infos[0].dtype) ? 'floats' : undefined;
}

async function encodeKind(
  kind: Kind,
  tensors: readonly NamedTensor[],
  preset: NonNullable<EncodeOptions['preset']>,
): Promise<EncodedPiece[] | undefined> {
  const pacer = new Pacer();
  if (kind === 'floats') return inPieces(await encodeFloats(tensors[0], pacer));
  if (kind === 'table') {
    const [scale, zeroPoint, intRepr] = TABLE_PARTS.map((part) => partOf(tensors, part));
    if (tableWidth(scale, zeroPoint, intRepr) === undefined) return undefined;
    const table = {
      scale: scale.data as Float32Array,
      zeroPoint: zeroPoint.data as Float32Array,
      intRepr: intRepr.data as Uint8Array,
    };
    return inPieces(await encodeTable(table, pacer));
  }
  const matrix = matrixOf(tensors);
  // A wide one would be plain, 16 bits a nonzero and more, where `csr-gzip`, the next in the list of `prune pack`, takes 13.
  if (matrix === undefined || matrix.shape[1] > MAX_COLUMNS) return undefined;
  const steps = encodeWithinExpansion(matrix, checkPreset(preset));
  let step = steps.next();
  for (; !step.done; step = steps.next()) await pacer.pause();
  return step.value && matrixPieces(step.value, tensors);
}

/** Bytes from which on a part is written alone: the copy that joins smaller ones takes less than a write each. */
const LARGE_PART = 2 ** 20;

/** Parts of a block as pieces, in which small parts are joined. */
function inPieces(parts: readonly Uint8Array[]): EncodedPiece[] {
  const pieces: EncodedPiece[] = [];
  let small: Uint8Array[] = [];
  const endSmall = () => {
    if (small.length > 0) pieces.push({ bytes: joined([], small) });
    small = [];
  };
  for (const part of parts) {
    if (part.length >= LARGE_PART || sizeOf(small) >= LARGE_PART) endSmall();
    if (part.length >= LARGE_PART) pieces.push({ bytes: part });
    else small.push(part);
  }
  endSmall();
  return pieces;
}

/** The bytes of a matrix by what they code: values, columns, and the head with the densities of rows, for reports. */
function matrixPieces(bytes: Uint8Array, tensors: readonly NamedTensor[]): EncodedPiece[] {
  const [values, columns, rows] = CSR_PARTS.map((part) => tensors.indexOf(partOf(tensors, part)));
  const { blocks, form } = openCsr(bytes);
  if (form === 'plain') return [{ bytes }];
  const pieces: EncodedPiece[] = [];
  let at = blocks.reduce((start, { maskBytes, valueBytes }) => start - maskBytes - valueBytes, bytes.length);
  pieces.push({ bytes: bytes.subarray(0, at), tensor: rows });
  for (const { maskBytes, valueBytes } of blocks) {
    pieces.push({ bytes: bytes.subarray(at, at + maskBytes), tensor: columns });
    at += maskBytes;
    pieces.push({ bytes: bytes.subarray(at, at + valueBytes), tensor: values });
    at += valueBytes;
  }
  return pieces;
}

async function decodeKind(
  kind: Kind,
  bytes: Uint8Array,
  infos: readonly NamedInfo[],
  limits: Limits,
): Promise<readonly Tensor[]> {
  const pacer = new Pacer();
  if (kind === 'floats') {
    const { dtype, shape } = infos[0];
    const size = product(shape) * DTYPES[dtype].bytes;
    if (size < SMALLEST) throw corrupt('tensor is too small for a block of its own', size, `at least ${SMALLEST}`);
    checkExpansion('tensor', size, bytes.length);
    return [await decodeFloats(bytes, dtype, shape, product(shape), pacer)];
  }
  if (kind === 'table') {
    const [scale, zeroPoint, intRepr] = TABLE_PARTS.map((part) => partOf(infos, part));
    const width = tableWidth(scale, zeroPoint, intRepr);
    if (width === undefined) throw corrupt('table of shapes that do not fit', `[${intRepr.shape.join(', ')}]`);
    checkExpansion('table', scale.shape[0] * (2 * DTYPES.float32.bytes + width), bytes.length);
    const table = await decodeTable(bytes, scale.shape[0], width, pacer);
    return infos.map((info) => {
      if (info === scale) return tensor('float32', info.shape, table.scale as TensorData<'float32'>);
      if (info === zeroPoint) return tensor('float32', info.shape, table.zeroPoint as TensorData<'float32'>);
      return tensor('uint8', info.shape, table.intRepr as TensorData<'uint8'>);
    });
  }
  const [data, , indptr] = CSR_PARTS.map((part) => partOf(infos, part));
  const matrix = await openDeclared(bytes, infos, limits).decodeInTurns(pacer);
  return infos.map((info) => {
    if (info === data) return tensor('int8', info.shape, matrix.data as TensorData<'int8'>);
    if (info === indptr) return tensor('int32', info.shape, matrix.indptr as TensorData<'int32'>);
    return tensor(info.dtype, info.shape, indicesAs(info.dtype, matrix.indices));
  });
}

/** The matrix of a block, which must be the one that the infos of its arrays declare. */
function openDeclared(bytes: Uint8Array, infos: readonly NamedInfo[], limits: Limits): CsrStream {
  const [data, indices, indptr] = CSR_PARTS.map((part) => partOf(infos, part));
  const stream = openCsr(bytes, { limits });
  const declared = `${product(indptr.shape) - 1} rows, ${product(data.shape)} nonzeros, indices ${indices.dtype} ${product(indices.shape)}`;
  const [rows, columns] = stream.shape;
  if (
    rows + 1 !== product(indptr.shape) ||
    stream.nnz !== product(data.shape) ||
    stream.nnz !== product(indices.shape) ||
    (indices.dtype === 'uint16' && columns > MAX_COLUMNS + 1)
  ) {
    throw corrupt(
      'matrix is not the declared one',
      `${rows} rows, ${columns} columns, ${stream.nnz} nonzeros`,
      declared,
    );
  }
  return stream;
}

function indicesAs(dtype: Dtype, indices: Uint16Array | Int32Array): TensorData {
  if (dtype === 'int32') return (indices instanceof Int32Array ? indices : Int32Array.from(indices)) as TensorData;
  return (indices instanceof Uint16Array ? indices : Uint16Array.from(indices)) as TensorData;
}

/** The triple as a matrix as wide as its last used column, or `undefined` when it is none (indices that do not ascend, a stored zero). */
function matrixOf(tensors: readonly NamedTensor[]): CsrMatrix | undefined {
  const [data, indices, indptr] = CSR_PARTS.map((part) => partOf(tensors, part));
  const columnOf = indices.data as Uint16Array | Int32Array;
  let columns = 0;
  for (let p = 0; p < columnOf.length; p++) columns = Math.max(columns, columnOf[p] + 1);
  const matrix: CsrMatrix = {
    shape: [indptr.data.length - 1, columns],
    indptr: indptr.data as Int32Array,
    indices: columnOf,
    data: data.data as Int8Array,
  };
  if (csrFault(matrix, { anyIndices: true }) !== undefined) return undefined;
  const narrow = columns <= MAX_COLUMNS && !(columnOf instanceof Uint16Array);
  return narrow ? { ...matrix, indices: Uint16Array.from(columnOf) } : matrix;
}

function product(shape: readonly number[]): number {
  return shape.reduce((all, n) => all * n, 1);
}
