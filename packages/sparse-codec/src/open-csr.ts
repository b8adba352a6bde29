import {
  type CsrMatrix,
  type CsrRows,
  checkLimit,
  DEFAULT_LIMITS,
  type Limits,
  type Pacer,
  PruneError,
  type RowVisitor,
} from '@prune/core';
import { BinaryDecoder } from './binary-coder.js';
import { decodeClasses } from './class-coder.js';
import { COLUMN_WEIGHTS } from './column-weights.js';
import { corrupt } from './corrupt.js';
import { contextMap, FORMS, MAX_COLUMNS, type Preset, slotStarts } from './encode-csr.js';
import { checkExpansion, decodedBytes, LEAST_BLOCK_NONZEROS, MAX_ROWS } from './expansion.js';
import { slotLimit } from './fit-mask.js';
import { gapTables, ROW_CLASSES } from './gap-tables.js';
import { type ColumnAtSlot, columnAtSlots, decodeLane, decodeLanePair, openLane } from './mask-decoder.js';
import { readPlain } from './plain.js';
import { decodeContextValues, decodeValues, valueTables } from './value-coder.js';
import { contextFrequencies, NO_CONTEXTS, readContexts } from './value-contexts.js';
import { readLevels } from './value-table.js';
import { ByteReader } from './varint.js';
import { WasmPairs } from './wasm-pairs.js';

/** Rows that are coded together: the least that can be decoded alone. */
export interface CsrBlock {
  /** First row, and the row after the last. */
  readonly from: number;
  readonly to: number;
  /** The nonzeros before it, and its own. */
  readonly before: number;
  readonly nnz: number;
  readonly maskBytes: number;
  readonly valueBytes: number;
}

/** An encoded matrix, its model read and checked; nonzeros are decoded by what is asked for. */
export interface CsrStream extends CsrRows {
  /** `plain` for a matrix that no model pays for. */
  readonly form: 'plain' | Preset;
  /** Bytes of the classes of rows and columns and of the frequencies of values. */
  readonly modelBytes: number;
  readonly blocks: readonly CsrBlock[];
  /** The whole matrix. */
  decode(): CsrMatrix;
  /** The same, with the pacer's pauses between two pairs of blocks. */
  decodeInTurns(pacer: Pacer): Promise<CsrMatrix>;
  /** Rows `from .. to` as a matrix of their own; decodes the blocks that hold them. */
  decodeRows(from: number, to: number): CsrMatrix;
  /** Every row of `from .. to` in order, empty ones too, decoded two blocks at a time: memory does not hold the matrix. */
  forEachRow(visit: RowVisitor, from?: number, to?: number): void;
}

export interface DecodeOptions {
  readonly limits?: Limits;
}

/**
 * Reads the head and the model of what `encodeCsr` made. Throws `corrupt` for bytes that are not such a stream or that
 * would expand beyond `MAX_EXPANSION`, `limit` before it would allocate more than `limits.tensorBytes` for one array.
 * Decoding takes time in proportion to nonzeros and rows, whatever the bytes.
 */
export function openCsr(bytes: Uint8Array, options: DecodeOptions = {}): CsrStream {
  const limits = options.limits ?? DEFAULT_LIMITS;
  const reader = new ByteReader(bytes);
  const formByte = reader.byte();
  const form = (Object.keys(FORMS) as (keyof typeof FORMS)[]).find((name) => FORMS[name] === formByte);
  if (form === undefined) throw corrupt('unknown form of a matrix', formByte, 'plain, fast or max');
  const rows = reader.varint('number of rows', form === 'plain' ? 2 ** 31 - 2 : MAX_ROWS);
  const columns = reader.varint('number of columns', form === 'plain' ? 2 ** 31 - 1 : MAX_COLUMNS);
  const nnz = reader.varint('number of nonzeros', Math.min(rows * columns, 2 ** 31 - 1));
  const place = { where: 'sparse-codec' };
  checkLimit('matrix has too many rows (bytes of indptr)', 4 * (rows + 1), limits.tensorBytes, place);
  checkLimit(
    'matrix has too many nonzeros (bytes of indices)',
    (columns > MAX_COLUMNS ? 4 : 2) * nnz,
    limits.tensorBytes,
    place,
  );
  const shape = [rows, columns] as const;
  if (form === 'plain') return openPlain(reader, shape, nnz);
  return openModelled(reader, form, shape, nnz);
}

function openPlain(reader: ByteReader, shape: readonly [number, number], nnz: number): CsrStream {
  // A nonzero takes two bytes and a row one: the arrays are never larger than the input promises.
  const rest = reader.bytes.length - reader.offset;
  if (2 * nnz + shape[0] > rest)
    throw corrupt('plain matrix is cut short', rest, `at least ${2 * nnz + shape[0]} bytes`);
  const start = reader.offset;
  const whole: CsrBlock = { from: 0, to: shape[0], before: 0, nnz, maskBytes: rest - nnz, valueBytes: nnz };
  return streamOf({ shape, nnz, form: 'plain', modelBytes: 0, blocks: [whole] }, (_one, _two, target) => {
    reader.offset = start;
    readPlain(reader, target);
    if (reader.offset !== reader.bytes.length)
      throw corrupt('bytes after the matrix', reader.bytes.length, reader.offset);
  });
}

function openModelled(reader: ByteReader, form: Preset, shape: readonly [number, number], nnz: number): CsrStream {
  const [rows, columns] = shape;
  const size = { rows, columns, nnz, groups: 1 };
  checkExpansion('matrix', decodedBytes(size), reader.bytes.length);
  const tableBytes = reader.varint('tables', reader.bytes.length);
  const classBytes = 2 * reader.varint('classes', reader.bytes.length);
  const count = reader.varint('number of blocks', 2 + Math.floor(nnz / LEAST_BLOCK_NONZEROS));
  const blocks: CsrBlock[] = [];
  let from = 0;
  let before = 0;
  for (let i = 0; i < count; i++) {
    const to = from + reader.varint('rows of a block', rows - from);
    const own = reader.varint('nonzeros of a block', nnz - before);
    const maskBytes = 2 * reader.varint('mask of a block', reader.bytes.length);
    const valueBytes = 2 * reader.varint('values of a block', reader.bytes.length);
    // A frequency is at most half of its scale, because of the sign.
    if (own > 8 * valueBytes) throw corrupt('values take less than a bit each', own, `at most ${8 * valueBytes}`);
    blocks.push({ from, to, before, nnz: own, maskBytes, valueBytes });
    from = to;
    before += own;
  }
  if (from !== rows || before !== nnz) {
    throw corrupt('blocks do not add up', `${from} rows, ${before} nonzeros`, `${rows} rows, ${nnz} nonzeros`);
  }
  const coder = new BinaryDecoder(reader.take('tables', tableBytes));
  const [columnClass, rowClass] = decodeClasses(coder, reader.take('classes', classBytes), [
    { length: columns, count: COLUMN_WEIGHTS.length },
    { length: rows, count: ROW_CLASSES + 1 },
  ]);
  const slotOf = slotStarts(columnClass);
  const slots = slotOf[columns];
  if (slots > slotLimit(columns)) throw corrupt('columns are too heavy', slots, `at most ${slotLimit(columns)} slots`);
  const levels = readLevels(coder, 128);
  const contexts = form === 'max' ? readContexts(coder) : NO_CONTEXTS;
  coder.finish();
  checkExpansion('matrix', decodedBytes({ ...size, groups: contexts.groups }), reader.bytes.length);
  const valueTable = valueTables(contextFrequencies(levels, contexts));
  const map = contextMap(contexts, rowClass, columnClass);

  const coded = blocks.map((block) => ({
    ...block,
    mask: reader.take('mask of a block', block.maskBytes),
    values: reader.take('values of a block', block.valueBytes),
  }));
  if (reader.offset !== reader.bytes.length)
    throw corrupt('bytes after the matrix', reader.bytes.length, reader.offset);

  const maskShape = { slotOf, rowClass };
  const pairs = WasmPairs.open({ shape: maskShape, map, valueTables: valueTable });
  let columnAt: ColumnAtSlot | undefined;
  return streamOf(
    { shape, nnz, form, modelBytes: tableBytes + classBytes, blocks },
    (one, two, target, row, nonzero) => {
      const { from: top, before: first } = blocks[one];
      const second = two === one ? undefined : coded[two];
      if (pairs?.decode(coded[one], second, target, top - row, first - nonzero)) return;
      // There is no WebAssembly or no room in its memory, or the bytes are damaged: then the errors below say how.
      const tables = gapTables();
      columnAt ??= columnAtSlots(slotOf);
      const laneOf = (i: number) => {
        const { from, to, before, nnz: own, mask } = coded[i];
        return openLane(mask, slots, from - row, to - row, before - nonzero, before - nonzero + own);
      };
      const indices = target.indices as Uint16Array;
      const shifted = { slotOf, rowClass: row === 0 ? rowClass : rowClass.subarray(row) };
      const lanes = two === one ? [laneOf(one)] : [laneOf(one), laneOf(two)];
      if (lanes.length === 2) decodeLanePair(tables, shifted, columnAt, lanes[0], lanes[1], { ...target, indices });
      else decodeLane(tables, row === 0 ? maskShape : shifted, columnAt, lanes[0], { ...target, indices });
      for (const i of lanes.length === 2 ? [one, two] : [one]) {
        const start = blocks[i].before - nonzero;
        if (map.groups === 1) {
          decodeValues(valueTable, coded[i].values, target.data, start, start + blocks[i].nnz);
        } else {
          const rows = { ...target, from: blocks[i].from - row, to: blocks[i].to - row };
          decodeContextValues(valueTable, map, coded[i].values, rows, row);
        }
      }
    },
  );
}

/** Decodes blocks `one` and `two` (the same: only one) into `target`, whose first row is `row` and first nonzero `nonzero` of the matrix. */
type DecodePair = (one: number, two: number, target: CsrMatrix, row: number, nonzero: number) => void;

function streamOf(
  head: Pick<CsrStream, 'shape' | 'nnz' | 'form' | 'modelBytes' | 'blocks'>,
  decodePair: DecodePair,
): CsrStream {
  const { blocks } = head;
  const [rows, columns] = head.shape;
  const arraysFor = (height: number, own: number): CsrMatrix => ({
    shape: [height, columns],
    indptr: new Int32Array(height + 1),
    indices: columns > MAX_COLUMNS ? new Int32Array(own) : new Uint16Array(own),
    data: new Int8Array(own),
  });
  const heightOf = (first: number, last: number) => (first > last ? 0 : blocks[last].to - blocks[first].from);
  const nnzOf = (first: number, last: number) =>
    first > last ? 0 : blocks[last].before + blocks[last].nnz - blocks[first].before;
  const decodeBlocks = (first: number, last: number): CsrMatrix => {
    const target = arraysFor(heightOf(first, last), nnzOf(first, last));
    for (let i = first; i <= last; i += 2) {
      decodePair(i, Math.min(i + 1, last), target, blocks[first].from, blocks[first].before);
    }
    return target;
  };
  const decodeInTurns = async (pacer: Pacer): Promise<CsrMatrix> => {
    const target = arraysFor(rows, head.nnz);
    const last = blocks.length - 1;
    for (let i = 0; i <= last; i += 2) {
      await pacer.pause();
      decodePair(i, Math.min(i + 1, last), target, 0, 0);
    }
    return target;
  };
  const covering = (from: number, to: number): [first: number, last: number] => {
    if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from <= to && to <= rows)) {
      throw new PruneError('invalid-argument', {
        where: 'sparse-codec',
        what: 'no such rows',
        got: `${from} to ${to}`,
        wanted: `within 0 to ${rows}`,
      });
    }
    let first = 0;
    while (first < blocks.length && blocks[first].to <= from) first++;
    let last = first - 1;
    while (last + 1 < blocks.length && blocks[last + 1].from < to) last++;
    return [first, last];
  };
  return {
    ...head,
    decode: () => decodeBlocks(0, blocks.length - 1),
    decodeInTurns,
    decodeRows(from, to) {
      const [first, last] = covering(from, to);
      const { indptr, indices, data } = decodeBlocks(first, last);
      const skip = first > last ? 0 : from - blocks[first].from;
      const start = indptr[skip];
      const end = indptr[skip + to - from];
      return {
        shape: [to - from, columns],
        indptr: indptr.slice(skip, skip + to - from + 1).map((p) => p - start),
        indices: indices.slice(start, end),
        data: data.slice(start, end),
      };
    },
    forEachRow(visit, from = 0, to = rows) {
      const [first, last] = covering(from, to);
      let [height, own] = [0, 0];
      for (let i = first; i <= last; i += 2) {
        height = Math.max(height, heightOf(i, Math.min(i + 1, last)));
        own = Math.max(own, nnzOf(i, Math.min(i + 1, last)));
      }
      // The same memory for every pair.
      const target = arraysFor(height, own);
      const { indptr, indices, data } = target;
      for (let i = first; i <= last; i += 2) {
        const { from: top, before } = blocks[i];
        const pair = Math.min(i + 1, last);
        decodePair(i, pair, target, top, before);
        const end = Math.min(to, blocks[pair].to);
        for (let row = Math.max(from, top); row < end; row++) {
          visit(row, indices, data, indptr[row - top], indptr[row - top + 1]);
        }
      }
    },
  };
}
