// The parts of a CSR matrix that gzip alone cannot see, made visible. golden/base, MB: the arrays as they are 10.4, gaps of columns as bytes 8.1,
// the same with the rows in order of their counts 7.6: neighbours are then of one density, and each block of Huffman codes fits its rows.
import {
  type Codec,
  CSR_ARRAY_DTYPES,
  CSR_ARRAYS,
  type CsrArray,
  csrArrayOf,
  type Dtype,
  type NamedInfo,
  type NamedTensor,
  Pacer,
  PruneError,
  type Tensor,
} from '@prune/core';
import { gunzip } from '../deflate/gunzip.js';
import { DEFAULT_LEVEL, gzip } from '../deflate/gzip.js';
import { segmentOf } from '../deflate/segment.js';
import type { GzipOptions } from './gzip.js';

/** A gap of this many columns or more is this byte, as often as it fits, and the rest. */
const ESCAPE = 255;

/**
 * `csr-gzip`: the three arrays of a CSR matrix, `X.data` int8, `X.indices` uint16 or int32, `X.indptr` int32, as one gzip member of
 * row counts, gaps between columns and values, the rows in order of descending count (FORMAT.md). Takes matrices whose columns ascend.
 */
export function csrGzip({ level = DEFAULT_LEVEL, ...platform }: GzipOptions = {}): Codec {
  return {
    name: 'csr-gzip',
    group({ name, dtype, shape }) {
      const found = csrArrayOf(name);
      if (shape.length !== 1 || found === undefined || !fits(found.array, dtype)) return undefined;
      return { key: found.matrix, size: CSR_ARRAYS.length };
    },
    encode(tensors) {
      const csr = partsOf(tensors);
      const counts = csr && rowCounts(csr);
      if (csr === undefined || counts === undefined) return undefined;
      const order = byCount(csr.indptr);
      const gaps = gapsOf(csr, counts, order);
      if (gaps === undefined) return undefined;
      return gzip(
        [
          segmentOf(varints(counts), csr.place.indptr),
          segmentOf(gaps, csr.place.indices),
          segmentOf(valuesOf(csr, counts, order), csr.place.data),
        ],
        level,
        platform.crc32,
      );
    },
    async decode(bytes, infos, limits) {
      const { place, rows, nnz, wide } = layoutOf(infos);
      const pacer = new Pacer();
      const decoded = await gunzip(bytes, { limit: limits.tensorBytes, ...platform, pacer });
      // A count is a byte at least, so is a gap, and a value is one: the arrays cannot outgrow what was there to decode.
      if (decoded.length < rows + 2 * nnz) {
        throw new PruneError('corrupt', {
          what: 'decoded bytes',
          got: decoded.length,
          wanted: `at least ${rows + 2 * nnz}`,
        });
      }
      const indptr = new Int32Array(rows + 1);
      const at = readCounts(decoded, indptr, nnz);
      const indices = wide ? new Int32Array(nnz) : new Uint16Array(nnz);
      const data = new Int8Array(nnz);
      await readRows(decoded, at, indptr, indices, data, pacer);
      const made: Tensor[] = [];
      made[place.data] = { dtype: 'int8', shape: [nnz], data };
      made[place.indices] = { dtype: wide ? 'int32' : 'uint16', shape: [nnz], data: indices };
      made[place.indptr] = { dtype: 'int32', shape: [rows + 1], data: indptr };
      return made;
    },
  };
}

interface CsrParts {
  readonly data: Int8Array;
  readonly indices: Uint16Array | Int32Array;
  readonly indptr: Int32Array;
  /** The position of each part in its group. */
  readonly place: Places;
}

type Places = Readonly<Record<CsrArray, number>>;

function fits(array: CsrArray, dtype: Dtype): boolean {
  const dtypes: readonly Dtype[] = CSR_ARRAY_DTYPES[array];
  return dtypes.includes(dtype);
}

function placesOf(infos: readonly NamedInfo[]): Places | undefined {
  const [data, indices, indptr] = CSR_ARRAYS.map((array) =>
    infos.findIndex(({ name }) => csrArrayOf(name)?.array === array),
  );
  return infos.length === CSR_ARRAYS.length && Math.min(data, indices, indptr) >= 0
    ? { data, indices, indptr }
    : undefined;
}

function partsOf(tensors: readonly NamedTensor[]): CsrParts | undefined {
  const place = placesOf(tensors);
  if (place === undefined) return undefined;
  const data = tensors[place.data].data as Int8Array;
  const indices = tensors[place.indices].data as Uint16Array | Int32Array;
  const indptr = tensors[place.indptr].data as Int32Array;
  return data.length === indices.length ? { data, indices, indptr, place } : undefined;
}

/** The nonzeros of each row, or `undefined` when `indptr` is none of a matrix with these nonzeros. */
function rowCounts({ indptr, data }: CsrParts): Int32Array | undefined {
  if (indptr.length === 0 || indptr[0] !== 0 || indptr[indptr.length - 1] !== data.length) return undefined;
  const counts = new Int32Array(indptr.length - 1);
  for (let row = 0; row < counts.length; row++) {
    counts[row] = indptr[row + 1] - indptr[row];
    if (counts[row] < 0) return undefined;
  }
  return counts;
}

/**
 * The rows that have nonzeros, those with the most first, equal ones by their number. A counting sort: no count is above
 * the nonzeros of the matrix, so the buckets take no more than its arrays, and sorting by comparison took a sixth of the
 * time of reading. Empty rows, which would be last, are left out: a file can have a hundred million of them.
 */
function byCount(indptr: Int32Array): Int32Array {
  const rows = indptr.length - 1;
  let most = 0;
  let filled = 0;
  for (let row = 0; row < rows; row++) {
    const count = indptr[row + 1] - indptr[row];
    if (count > most) most = count;
    if (count > 0) filled++;
  }
  // Where the rows of a count begin: behind all rows of greater counts.
  const next = new Int32Array(most + 1);
  for (let row = 0; row < rows; row++) next[indptr[row + 1] - indptr[row]]++;
  for (let count = most, before = 0; count > 0; count--) {
    const own = next[count];
    next[count] = before;
    before += own;
  }
  const order = new Int32Array(filled);
  for (let row = 0; row < rows; row++) {
    const count = indptr[row + 1] - indptr[row];
    if (count > 0) order[next[count]++] = row;
  }
  return order;
}

/** Bytes that the escapes of a matrix may add: past these it is too sparse for gaps of bytes and plain gzip takes it. */
const MOST_ESCAPES = 4;

function gapsOf({ indices, indptr }: CsrParts, counts: Int32Array, order: Int32Array): Uint8Array | undefined {
  const limit = (1 + MOST_ESCAPES) * indices.length + 1;
  let bytes = new Uint8Array(indices.length + (indices.length >>> 3) + 16);
  let at = 0;
  for (const row of order) {
    let previous = -1;
    for (let p = indptr[row], end = p + counts[row]; p < end; p++) {
      let gap = indices[p] - previous - 1;
      if (gap < 0) return undefined;
      previous = indices[p];
      const length = Math.floor(gap / ESCAPE) + 1;
      if (at + length > limit) return undefined;
      if (at + length > bytes.length) {
        const grown = new Uint8Array(2 * bytes.length + length);
        grown.set(bytes);
        bytes = grown;
      }
      for (; gap >= ESCAPE; gap -= ESCAPE) bytes[at++] = ESCAPE;
      bytes[at++] = gap;
    }
  }
  return bytes.subarray(0, at);
}

function valuesOf({ data, indptr }: CsrParts, counts: Int32Array, order: Int32Array): Uint8Array {
  const values = new Uint8Array(data.length);
  let at = 0;
  for (const row of order) {
    values.set(data.subarray(indptr[row], indptr[row] + counts[row]), at);
    at += counts[row];
  }
  return values;
}

/** LEB128: seven bits a byte, the lowest first, the top bit set in all but the last. */
function varints(counts: Int32Array): Uint8Array {
  const bytes: number[] = [];
  for (let count of counts) {
    for (; count > 127; count >>>= 7) bytes.push((count & 127) | 128);
    bytes.push(count);
  }
  return Uint8Array.from(bytes);
}

function layoutOf(infos: readonly NamedInfo[]): { place: Places; rows: number; nnz: number; wide: boolean } {
  const place = placesOf(infos);
  if (place === undefined) throw new PruneError('corrupt', { what: 'not the three arrays of a CSR matrix' });
  const [data, indices, indptr] = CSR_ARRAYS.map((array) => infos[place[array]]);
  const dtypes = CSR_ARRAYS.every((array) => fits(array, infos[place[array]].dtype));
  const shapes = [data, indices, indptr].every(({ shape }) => shape.length === 1);
  if (!dtypes || !shapes || data.shape[0] !== indices.shape[0] || indptr.shape[0] < 1) {
    throw new PruneError('corrupt', { what: 'dtypes or shapes are not those of a CSR matrix', tensor: data.name });
  }
  return { place, rows: indptr.shape[0] - 1, nnz: data.shape[0], wide: indices.dtype === 'int32' };
}

/** Fills `indptr` from the row counts at the start of `bytes`; gives where they end. */
function readCounts(bytes: Uint8Array, indptr: Int32Array, nnz: number): number {
  let at = 0;
  let sum = 0;
  for (let row = 1; row < indptr.length; row++) {
    let byte = bytes[at++];
    let count = byte & 127;
    for (let shift = 7; byte > 127 && shift <= 28; shift += 7) {
      byte = bytes[at++];
      count += (byte & 127) * 2 ** shift;
    }
    if (byte > 127 || at > bytes.length) throw new PruneError('corrupt', { what: `count of row ${row - 1}` });
    sum += count;
    if (sum > nnz)
      throw new PruneError('corrupt', { what: 'rows have more nonzeros than the matrix', got: sum, wanted: nnz });
    indptr[row] = sum;
  }
  if (sum !== nnz) throw new PruneError('corrupt', { what: 'nonzeros of all rows', got: sum, wanted: nnz });
  return at;
}

async function readRows(
  bytes: Uint8Array,
  start: number,
  indptr: Int32Array,
  indices: Uint16Array | Int32Array,
  data: Int8Array,
  pacer: Pacer,
) {
  const gapsEnd = bytes.length - data.length;
  const order = byCount(indptr);
  const place: RowPlace = { next: 0, at: start, value: gapsEnd };
  while (place.next < order.length) {
    await pacer.pause();
    readPart(bytes, order, place, gapsEnd, indptr, indices, data);
  }
  if (place.at !== gapsEnd)
    throw new PruneError('corrupt', { what: 'bytes after the last gap', got: gapsEnd - place.at, wanted: 0 });
}

/** How far the rows have been read: the next one's place in their order, and where its gaps and values begin. */
interface RowPlace {
  next: number;
  at: number;
  value: number;
}

/** Nonzeros that are read between two looks at the clock, and those of one row more. */
const PART = 2 ** 16;

function readPart(
  bytes: Uint8Array,
  order: Int32Array,
  place: RowPlace,
  gapsEnd: number,
  indptr: Int32Array,
  indices: Uint16Array | Int32Array,
  data: Int8Array,
) {
  const mostColumns = indices instanceof Uint16Array ? 2 ** 16 : 2 ** 31;
  let { next, at, value } = place;
  for (const end = value + PART; next < order.length && value < end; next++) {
    const row = order[next];
    at = readRow(bytes, at, gapsEnd, value, indices, data, indptr[row], indptr[row + 1], mostColumns);
    value += indptr[row + 1] - indptr[row];
  }
  Object.assign(place, { next, at, value });
}

/**
 * One row, its gaps in `bytes` from `at`, its values from `value`: into `indices` and `data` from `from` to `to`. Gives where its gaps end. A function
 * of its own because V8 compiles it after some rows, a loop over all rows only after some matrices; both arrays in one pass because rows of some 50
 * nonzeros are too short for `set` and `subarray`; gaps and values from one array because V8 loads where each array is again for every nonzero.
 */
function readRow(
  bytes: Uint8Array,
  at: number,
  gapsEnd: number,
  value: number,
  indices: Uint16Array | Int32Array,
  data: Int8Array,
  from: number,
  to: number,
  mostColumns: number,
): number {
  // From a nonzero to its gap, one more behind every escape, and to its value.
  let toGap = at - from;
  const toValue = value - from;
  let column = -1;
  checkGaps(to + toGap, gapsEnd);
  for (let p = from; p < to; p++) {
    let byte = bytes[p + toGap];
    while (byte === ESCAPE) {
      column += ESCAPE;
      toGap++;
      checkGaps(to + toGap, gapsEnd);
      byte = bytes[p + toGap];
    }
    column += byte + 1;
    indices[p] = column;
    data[p] = bytes[p + toValue];
  }
  // Columns ascend, so the last one is the largest.
  if (column >= mostColumns) throw new PruneError('corrupt', { what: 'a column that no dtype holds', got: column });
  return to + toGap;
}

/** `end` is where the gaps end at the earliest. */
function checkGaps(end: number, gapsEnd: number) {
  if (end > gapsEnd) throw new PruneError('corrupt', { what: 'the gaps end early' });
}
