import { inBlocks, type Pacer, type TensorData } from '@prune/core';
import { corrupt } from '../corrupt.js';
import { MAX_GRID_BITS } from '../dyadic-grid.js';
import { foldedOrigin, unfoldedOrigin } from '../folded.js';
import { readMeans } from '../grid-rows.js';
import { type RangeGrid, rangeGrid, scaleOf, zeroPointOf } from '../row-ranges.js';
import {
  CODE_CLASSES,
  CodeMemo,
  codeClassOf,
  gridBits,
  multipleOf,
  type QuantizedTable,
  quantizeMultiples,
  rowGrid,
  rowSpan,
} from '../table-block.js';
import { readLevels } from '../value-table.js';
import type { FormReader } from './directory.js';
import type { GroupCoder } from './group-coder.js';
import { fitIntegerRows, type IntegerRows, MAX_CLASSES } from './integer-rows.js';
import { LANES, type Lanes } from './lanes.js';
import { FORMS, type RowDecoder, type RowEncoder, type RowMemory } from './row-form.js';
import { SlotCoder } from './slot-coder.js';
import { MAX_SYMBOLS, slotTables } from './slot-tables.js';

/** How the ranges of rows that are on no grid are said: bytes of scale and zero point, or two integers. */
const RANGES = { bytes: 0, grid: 1 } as const;

/** Bytes of a scale and a zero point. */
const RANGE_BYTES = 8;

/**
 * Rows of codes, each with a scale and a zero point. Those that were on a grid of 2^-n before they were quantized are
 * the grid's integers, as in `encodeTable` of codec `entropy`; the others are ranges, and codes in classes by zero
 * point.
 */
export async function encodeQuantizedForm(
  table: QuantizedTable,
  rows: number,
  width: number,
  pacer: Pacer,
): Promise<RowEncoder> {
  const grid = await gridOf(table, rows, width, pacer);
  const { isOn, others } = grid;
  const fitted =
    others.length === rows
      ? undefined
      : await fitIntegerRows({ rows, width, read: grid.read }, pacer, others.length > 0);
  const classes = fitted?.counts.length ?? 0;
  const rest = others.length === 0 ? undefined : await restOf(table, others, 1 + classes, pacer);
  const rowCounts = fitted?.classCounts ?? Int32Array.of(rows);
  const counts = [rowCounts, ...(fitted?.counts ?? []), ...(rest?.rangeCounts ?? [])];
  if (rest !== undefined) counts.push(...(await codeCounts(table, others, width, pacer)));
  const symbols = new Uint16Array(width);
  return {
    form: FORMS.quantized,
    coder: new SlotCoder(counts),
    rawBytes: 0,
    symbols: 1 + (rest?.rangeSymbols ?? 0) + width,
    numbers: [
      classes,
      ...(fitted === undefined ? [] : [grid.bits, foldedOrigin(grid.origin + fitted.lowest), fitted.alphabet]),
      others.length === 0 ? 0 : 1,
      ...(rest?.numbers ?? []),
    ],
    writeModel: fitted?.writeModel,
    encodeRow(row, group) {
      if (isOn(row)) {
        grid.read(row, symbols);
        (fitted as IntegerRows).encodeRow(row, symbols, group);
        return;
      }
      group.push(0, classes);
      rest?.encodeRange(row, group);
      symbols.set(table.intRepr.subarray(row * width, (row + 1) * width));
      group.pushField((rest?.codeTables ?? 0) + codeClassOf(table.zeroPoint[row]), symbols, width);
    },
  };
}

/** Which rows are on a grid, and their integers. */
async function gridOf(table: QuantizedTable, rows: number, width: number, pacer: Pacer) {
  const bits = gridBits(table, width);
  const onGrid = new Uint8Array(rows);
  const others: number[] = [];
  let min = 0;
  let max = 0;
  let some = false;
  const look = (from: number, to: number) => {
    for (let row = from; row < to; row++) {
      const grid = bits === undefined ? undefined : rowGrid(table, row, width, bits);
      const low = grid === undefined ? min : some ? Math.min(min, grid.origin) : grid.origin;
      const high = grid === undefined ? max : some ? Math.max(max, grid.origin + grid.span) : grid.origin + grid.span;
      if (grid === undefined || high - low >= MAX_SYMBOLS) {
        others.push(row);
        continue;
      }
      [min, max, some] = [low, high, true];
      onGrid[row] = 1;
    }
  };
  await inBlocks(rows, pacer, look, width);
  const unit = 2 ** (bits ?? 0);
  return {
    bits: bits ?? 0,
    origin: min,
    others,
    isOn: (row: number) => onGrid[row] === 1,
    read(row: number, into: Uint16Array): boolean {
      if (onGrid[row] === 0) return false;
      const { origin, span } = rowSpan(table, row, unit);
      const start = row * width;
      for (let c = 0; c < width; c++) into[c] = origin - min + multipleOf(table.intRepr[start + c], span);
      return true;
    },
  };
}

/** How rows on no grid are coded, apart from their codes; `firstTable` is that of the first symbol of a range. */
async function restOf(
  { scale, zeroPoint }: QuantizedTable,
  others: readonly number[],
  firstTable: number,
  pacer: Pacer,
) {
  const ranges = {
    scale: Float32Array.from(others, (row) => scale[row]),
    zeroPoint: Float32Array.from(others, (row) => zeroPoint[row]),
  };
  const grid = await rangeGrid(ranges, pacer);
  const rankOf = new Map(others.map((row, i) => [row, i]));
  // The symbols of a row's range, one of each table.
  const fields =
    grid === undefined ? [...byteFields(scale, others), ...byteFields(zeroPoint, others)] : [grid.minimum, grid.range];
  const alphabets = grid === undefined ? new Array<number>(RANGE_BYTES).fill(256) : fields.map(mostPlusOne);
  return {
    rangeSymbols: fields.length,
    rangeCounts: fields.map((field, i) => countsOf(field, alphabets[i])),
    codeTables: firstTable + fields.length,
    numbers: grid === undefined ? [RANGES.bytes] : [RANGES.grid, ...gridNumbers(grid), ...alphabets],
    encodeRange(row: number, group: GroupCoder) {
      const i = rankOf.get(row) as number;
      for (let k = 0; k < fields.length; k++) group.push(firstTable + k, fields[k][i]);
    },
  };
}

function gridNumbers({ divisor, bits, origin }: RangeGrid): number[] {
  return [divisor, bits, foldedOrigin(origin)];
}

/** The bytes of some floats from the most significant one, their bits rotated left by one. NaN keeps its bits. */
function byteFields(values: Float32Array, rows: readonly number[]): Uint16Array[] {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const rotated = Uint32Array.from(rows, (row) => (bits[row] << 1) | (bits[row] >>> 31));
  return [24, 16, 8, 0].map((shift) => Uint16Array.from(rotated, (word) => (word >>> shift) & 255));
}

function mostPlusOne(symbols: Uint16Array): number {
  return symbols.reduce((most, symbol) => Math.max(most, symbol), 0) + 1;
}

function countsOf(symbols: Uint16Array, alphabet: number): Int32Array {
  const counts = new Int32Array(alphabet);
  for (const symbol of symbols) counts[symbol]++;
  return counts;
}

async function codeCounts(table: QuantizedTable, others: readonly number[], width: number, pacer: Pacer) {
  const counts = Array.from({ length: CODE_CLASSES }, () => new Int32Array(256));
  const count = (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const own = counts[codeClassOf(table.zeroPoint[others[i]])];
      const end = (others[i] + 1) * width;
      for (let k = others[i] * width; k < end; k++) own[table.intRepr[k]]++;
    }
  };
  await inBlocks(others.length, pacer, count, width);
  return counts;
}

/** Rows from which on a {@link CodeMemo} is worth its memory. */
const LEAST_MEMO_ROWS = 1000;

/** What a directory says of rows on a grid, and of the ranges of the others. */
interface QuantizedModel {
  readonly classes: number;
  readonly step: number;
  readonly origin: number;
  readonly mean: Int32Array;
  /** How a range is read: `undefined` as bytes. */
  readonly ranges: Pick<RangeGrid, 'divisor' | 'bits' | 'origin'> | undefined;
  /** Tables of the first symbol of a range, and of the first class of codes. */
  readonly rangeTables: number;
  readonly codeTables: number;
}

/** The decoder of {@link encodeQuantizedForm}. Throws `corrupt`. */
export function openQuantizedForm({ reader, model, room }: FormReader, width: number): RowDecoder {
  const classes = reader.varint('classes of rows', MAX_CLASSES);
  const bits = classes === 0 ? 0 : reader.varint('bits of the grid', MAX_GRID_BITS);
  const origin = classes === 0 ? 0 : unfoldedOrigin(reader.varint('origin of the grid', 2 ** 32));
  const alphabet = classes === 0 ? 0 : reader.varint('alphabet', MAX_SYMBOLS);
  const hasOthers = reader.varint('rows on no grid', 1);
  if (classes + hasOthers === 0) throw corrupt('kinds of rows', 0, 'at least 1');
  const asGrid = hasOthers === 1 && reader.varint('form of ranges', RANGES.grid) === RANGES.grid;
  const ranges = asGrid ? readRanges(reader) : undefined;
  const rangeAlphabets = asGrid
    ? [reader.varint('alphabet', MAX_SYMBOLS), reader.varint('alphabet', MAX_SYMBOLS)]
    : new Array<number>(RANGE_BYTES).fill(256);
  const coder = model();
  const mean = classes === 0 ? new Int32Array(0) : readMeans(coder, width, MAX_SYMBOLS);
  const levels = [readLevels(coder, classes + hasOthers)];
  for (let c = 0; c < classes; c++) levels.push(readLevels(coder, alphabet));
  const rangeTables = levels.length;
  if (hasOthers === 1) for (const own of rangeAlphabets) levels.push(readLevels(coder, own));
  const codeTables = levels.length;
  if (hasOthers === 1) for (let c = 0; c < CODE_CLASSES; c++) levels.push(readLevels(coder, 256));
  coder.finish();
  const own = { classes, step: 2 ** -bits, origin, mean, ranges, rangeTables, codeTables };
  return { width, rawBytes: 0, tables: slotTables(levels, room), memory: (rows) => quantizedMemory(own, width, rows) };
}

function readRanges(reader: FormReader['reader']) {
  const divisor = reader.varint('largest code', 255);
  if (divisor === 0) throw corrupt('largest code', divisor, 'at least 1');
  const bits = reader.varint('bits of the grid', MAX_GRID_BITS);
  return { divisor, bits, origin: unfoldedOrigin(reader.varint('origin of the grid', 2 ** 25)) };
}

function quantizedMemory(model: QuantizedModel, width: number, rows: number): RowMemory {
  const { classes, step, origin, mean } = model;
  const scale = new Float32Array(rows);
  const zeroPoint = new Float32Array(rows);
  const intRepr = new Uint8Array(rows * width);
  const table = { scale, zeroPoint, intRepr };
  const symbols = new Uint16Array(LANES * width);
  const fields = Array.from({ length: LANES }, (_, lane) => symbols.subarray(lane * width, (lane + 1) * width));
  const isOn = new Uint8Array(LANES);
  // Not for the few rows of a selection: they would hardly share codes.
  const memo = rows < LEAST_MEMO_ROWS ? undefined : new CodeMemo();
  return {
    arrays: [scale, zeroPoint, intRepr] as TensorData[],
    decodeRows(lanes, count) {
      for (let lane = 0; lane < count; lane++) {
        const symbol = lanes.symbol(lane, 0);
        isOn[lane] = symbol < classes ? 1 : 0;
        if (symbol < classes) {
          lanes.choose(lane, 1 + symbol);
          continue;
        }
        const row = lanes.row[lane];
        readRange(lanes, lane, model, row, scale, zeroPoint);
        lanes.choose(lane, model.codeTables + codeClassOf(zeroPoint[row]));
      }
      lanes.field(count, width, symbols);
      for (let lane = 0; lane < count; lane++) {
        const row = lanes.row[lane];
        const own = fields[lane];
        if (isOn[lane] === 0) {
          intRepr.set(own, row * width);
          continue;
        }
        for (let c = 0; c < width; c++) own[c] += mean[c];
        quantizeMultiples(own, origin, step, row, table, memo);
      }
    },
  };
}

/** The scale and zero point of a row, from the symbols of its range. */
function readRange(
  lanes: Lanes,
  lane: number,
  { ranges, rangeTables }: QuantizedModel,
  row: number,
  scale: Float32Array,
  zeroPoint: Float32Array,
): void {
  if (ranges === undefined) {
    readFloat(lanes, lane, rangeTables, row, scale);
    readFloat(lanes, lane, rangeTables + RANGE_BYTES / 2, row, zeroPoint);
    return;
  }
  const unit = 2 ** ranges.bits;
  const minimum = lanes.symbol(lane, rangeTables) + ranges.origin;
  const range = lanes.symbol(lane, rangeTables + 1);
  const own = scaleOf(range / unit, ranges.divisor);
  scale[row] = own;
  zeroPoint[row] = zeroPointOf(minimum / unit, own);
}

function readFloat(lanes: Lanes, lane: number, table: number, row: number, into: Float32Array): void {
  let rotated = 0;
  for (let k = 0; k < RANGE_BYTES / 2; k++) rotated = (rotated << 8) | lanes.symbol(lane, table + k);
  new Uint32Array(into.buffer, into.byteOffset + 4 * row, 1)[0] = (rotated >>> 1) | (rotated << 31);
}
