import { inBlocks, type Pacer } from '@prune/core';
import { corrupt } from './corrupt.js';
import { MAX_GRID_BITS } from './dyadic-grid.js';
import { foldedOrigin, unfoldedOrigin } from './folded.js';
import { decodeGridRows, encodeGridRows } from './grid-rows.js';
import { joined } from './joined.js';
import { decodePlanes, encodePlanes } from './planes.js';
import { decodeRowFloats, decodeRowRanges, encodeRowFloats, encodeRowRanges, type RowRanges } from './row-ranges.js';
import { sizeOf } from './size-of.js';
import { decodeSymbols, encodeSymbols, type Lines, MAX_ALPHABET } from './symbol-coder.js';
import { ByteReader } from './varint.js';

/** The three arrays of an embedding table quantized row by row: `scale` and `zeroPoint` float32 `[rows]`, `intRepr` uint8 `[rows, width]`. */
export interface QuantizedTable {
  readonly scale: Float32Array;
  readonly zeroPoint: Float32Array;
  readonly intRepr: Uint8Array;
}

/**
 * A quantized embedding table as the parts of a block. A table whose floats were on a grid of 2^-n before a row was
 * stretched to 0 .. 255 uses only some of the 256 codes of each row, other ones in each: then the grid's own integers
 * are coded, and codes, scale and zero point of a row are computed from them again as the quantizer did (float32,
 * correctly rounded: the same everywhere). Rows for which that does not give back every bit are coded as they are.
 * Otherwise codes by their frequencies, scales and zero points as floats.
 */
export async function encodeTable(table: QuantizedTable, pacer: Pacer): Promise<Uint8Array[]> {
  const { scale, zeroPoint, intRepr } = table;
  const rows = scale.length;
  const width = rows === 0 ? 0 : intRepr.length / rows;
  const onGrid = new Uint8Array(Math.ceil(rows / 8));
  const bits = gridBits(table, width);
  let good = 0;
  let min = 0;
  let max = 0;
  if (bits !== undefined) {
    const findRows = (from: number, to: number) => {
      for (let r = from; r < to; r++) {
        const grid = rowGrid(table, r, width, bits);
        if (grid === undefined) continue;
        const low = good === 0 ? grid.origin : Math.min(min, grid.origin);
        const high = Math.max(good === 0 ? grid.origin : max, grid.origin + grid.span);
        if (high - low >= MAX_ALPHABET) continue;
        [min, max] = [low, high];
        onGrid[r >> 3] |= 1 << (r & 7);
        good++;
      }
    };
    await inBlocks(rows, pacer, findRows, width);
  }
  const symbols = new Uint16Array(good * width);
  const others: number[] = [];
  const codes = new Uint8Array((rows - good) * width);
  let at = 0;
  const splitRows = (from: number, to: number) => {
    for (let r = from; r < to; r++) {
      const row = intRepr.subarray(r * width, (r + 1) * width);
      if (isSet(onGrid, r)) {
        const { origin, span } = rowSpan(table, r, 2 ** (bits ?? 0));
        for (let i = 0; i < width; i++) symbols[at++] = origin - min + multipleOf(row[i], span);
      } else {
        codes.set(row, others.length * width);
        others.push(r);
      }
    }
  };
  await inBlocks(rows, pacer, splitRows, width);
  const ranges = { scale: floatsOf(scale, others), zeroPoint: floatsOf(zeroPoint, others) };
  const [ranged, rest] = await encodeRest(ranges, codes, width, pacer);
  if (bits === undefined || good === 0) return [joined([ranged], []), ...rest];
  const alphabet = max - min + 1;
  const gridRows = await encodeGridRows(symbols, width, alphabet, pacer);
  return [joined([ranged + GRID, bits, foldedOrigin(min), alphabet], [onGrid]), ...gridRows, ...rest];
}

/** The first number of a table: some rows are on a grid; the others' scales, zero points and codes are not simply floats and planes. */
const GRID = 1;
const RANGED = 2;

/** Scales, zero points and codes of the rows that are on no grid, and whether they are {@link RANGED}: where that is smaller. */
async function encodeRest(
  ranges: RowRanges,
  codes: Uint8Array,
  width: number,
  pacer: Pacer,
): Promise<[form: number, parts: Uint8Array[]]> {
  const planes = await encodePlanes(codes, 1, pacer);
  const plain = [...(await encodeRowFloats(ranges, pacer)), ...planes];
  if (codes.length === 0) return [0, plain];
  const lines = await encodeSymbols(codes, 256, pacer, codeLines(width, ranges.zeroPoint));
  const smaller = sizeOf(lines) < sizeOf(planes) ? [joined([1], []), ...lines] : [joined([0], []), ...planes];
  const ranged = [...(await encodeRowRanges(ranges, pacer)), ...smaller];
  return sizeOf(ranged) < sizeOf(plain) ? [RANGED, ranged] : [0, plain];
}

function floatsOf(values: Float32Array, rows: readonly number[]): Float32Array {
  return Float32Array.from(rows, (r) => values[r]);
}

/**
 * The table of a block that has the parts of {@link encodeTable}, `intRepr` row-major `[rows, width]`. Throws
 * `corrupt`.
 */
export async function decodeTable(
  bytes: Uint8Array,
  rows: number,
  width: number,
  pacer: Pacer,
): Promise<QuantizedTable> {
  const reader = new ByteReader(bytes);
  const scale = new Float32Array(rows);
  const zeroPoint = new Float32Array(rows);
  const intRepr = new Uint8Array(rows * width);
  let onGrid = new Uint8Array(Math.ceil(rows / 8));
  let others = rows;
  const form = reader.varint('form of a table', GRID + RANGED);
  if ((form & GRID) !== 0) {
    const step = 2 ** -reader.varint('bits of the grid', MAX_GRID_BITS);
    const origin = unfoldedOrigin(reader.varint('origin of the grid', 2 ** 32));
    const alphabet = reader.varint('alphabet', MAX_ALPHABET);
    onGrid = reader.take('rows on the grid', onGrid.length).slice();
    for (let r = 0; r < rows; r++) if (isSet(onGrid, r)) others--;
    const symbols = new Uint16Array((rows - others) * width);
    await decodeGridRows(reader, symbols, width, alphabet, pacer);
    let at = 0;
    const memo = new CodeMemo();
    const quantizeRows = (from: number, to: number) => {
      for (let r = from; r < to; r++) {
        if (!isSet(onGrid, r)) continue;
        quantizeMultiples(symbols.subarray(at, at + width), origin, step, r, { scale, zeroPoint, intRepr }, memo);
        at += width;
      }
    };
    await inBlocks(rows, pacer, quantizeRows, width);
  }
  const ranged = (form & RANGED) !== 0;
  const ranges = await (ranged ? decodeRowRanges : decodeRowFloats)(reader, others, pacer);
  const codes = others === rows ? intRepr : new Uint8Array(others * width);
  if (ranged) await decodeCodes(reader, codes, width, ranges.zeroPoint, pacer);
  else await decodePlanes(reader, codes, 1, pacer);
  if (reader.offset !== bytes.length) throw corrupt('bytes after the table', bytes.length, reader.offset);
  let i = 0;
  const placeRows = (from: number, to: number) => {
    for (let r = from; r < to; r++) {
      if (isSet(onGrid, r)) continue;
      scale[r] = ranges.scale[i];
      zeroPoint[r] = ranges.zeroPoint[i];
      if (codes !== intRepr) intRepr.set(codes.subarray(i * width, (i + 1) * width), r * width);
      i++;
    }
  };
  await inBlocks(rows, pacer, placeRows, width);
  return { scale, zeroPoint, intRepr };
}

/** Classes of rows by zero point. */
export const CODE_CLASSES = 32;

/** The class of a row's codes, 0 for a zero point that is not a number. */
export function codeClassOf(zeroPoint: number): number {
  return zeroPoint > 0 ? Math.min(Math.floor(2 * zeroPoint), CODE_CLASSES - 1) : 0;
}

/** Codes of 4 bits lie around their row's zero point, which is there: 1.5 % of mini-qa's table. Those of 8 bits are the same in all rows. */
function codeLines(width: number, zeroPoint: Float32Array): Lines {
  // `from` with a function took 13 ms for 30,522 rows.
  const classOf = new Uint8Array(zeroPoint.length);
  for (let r = 0; r < classOf.length; r++) classOf[r] = codeClassOf(zeroPoint[r]);
  return { width, classOf, classes: CODE_CLASSES };
}

async function decodeCodes(
  reader: ByteReader,
  codes: Uint8Array,
  width: number,
  zeroPoint: Float32Array,
  pacer: Pacer,
): Promise<void> {
  if (reader.varint('form of the codes', 1) === 0) await decodePlanes(reader, codes, 1, pacer);
  else await decodeSymbols(reader, codes, 256, pacer, codeLines(width, zeroPoint));
}

function isSet(bits: Uint8Array, i: number): boolean {
  return (bits[i >> 3] & (1 << (i & 7))) !== 0;
}

/** Rows that are tried before a grid is believed in. */
const SAMPLE = 32;

/** The coarsest grid that gives back nine of ten sampled rows. */
export function gridBits(table: QuantizedTable, width: number): number | undefined {
  const rows = table.scale.length;
  if (rows === 0 || width < 2) return undefined;
  const sample = Math.min(rows, SAMPLE);
  for (let bits = 0; bits <= MAX_GRID_BITS; bits++) {
    let good = 0;
    for (let i = 0; i < sample; i++) {
      if (rowGrid(table, Math.floor((i * rows) / sample), width, bits) !== undefined) good++;
    }
    if (10 * good >= 9 * sample) return bits;
  }
  return undefined;
}

/** Where row `r` starts on a grid of 1 / unit, and how many steps it spans, going by its scale and zero point. */
export function rowSpan({ scale, zeroPoint }: QuantizedTable, r: number, unit: number) {
  return { origin: Math.round(-zeroPoint[r] * scale[r] * unit), span: Math.round(scale[r] * 255 * unit) };
}

/** The step of the row's grid that the quantizer turned into `code`. */
export function multipleOf(code: number, span: number): number {
  return Math.round((code * span) / 255);
}

/** Row `r` on the grid of 2^-bits, or `undefined` when that does not quantize to exactly the row. More steps than codes gain nothing. */
export function rowGrid(table: QuantizedTable, r: number, width: number, bits: number) {
  const { scale, zeroPoint, intRepr } = table;
  const grid = rowSpan(table, r, 2 ** bits);
  if (!(grid.span >= 1 && grid.span <= 255 && Math.abs(grid.origin) < 2 ** 24)) return undefined;
  const symbols = new Uint16Array(width);
  for (let i = 0; i < width; i++) symbols[i] = multipleOf(intRepr[r * width + i], grid.span);
  const again = { scale: new Float32Array(1), zeroPoint: new Float32Array(1), intRepr: new Uint8Array(width) };
  quantizeMultiples(symbols, grid.origin, 2 ** -bits, 0, again);
  if (!Object.is(again.scale[0], scale[r]) || !Object.is(again.zeroPoint[0], zeroPoint[r])) return undefined;
  for (let i = 0; i < width; i++) if (again.intRepr[i] !== intRepr[r * width + i]) return undefined;
  return grid;
}

/** 1.5 x 2^52: adding and taking it away rounds to an integer, ties to even. */
const ROUND = 6755399441055744;

/** Codes a row's integer can have in {@link CodeMemo}, and the rows that it holds. */
const MEMO_CODES = 256;
const MEMO_ROWS = 1024;

/**
 * The codes of a row's integers depend only on the least of them and on how far they span, which most rows of a table
 * share with an earlier row: looking the codes up halves the time of quantizing. Serves rows of one origin and step;
 * takes 260 KB.
 */
export class CodeMemo {
  private readonly keys = new Int32Array(MEMO_ROWS);
  private readonly codes = new Uint8Array(MEMO_ROWS * MEMO_CODES);

  /**
   * The codes of the integers from `low` on, of which `quantize` makes one; `undefined` for a span that is too wide.
   */
  codesOf(low: number, span: number, quantize: (symbol: number) => number): Uint8Array | undefined {
    if (span >= MEMO_CODES) return undefined;
    const key = ((low << 8) | span) + 1;
    const slot = (Math.imul(low, 31) + span) & (MEMO_ROWS - 1);
    const codes = this.codes.subarray(slot * MEMO_CODES, (slot + 1) * MEMO_CODES);
    if (this.keys[slot] === key) return codes;
    this.keys[slot] = key;
    for (let k = 0; k <= span; k++) codes[k] = quantize(low + k);
    return codes;
  }
}

/**
 * PyTorch's row-wise quantization of the row `(symbols + origin) x step`: scale = (max - min) / 255 (1 for a range of at most 2^-23),
 * zero point = -min / scale, q = clamp(rint(w x (1 / scale) + zero point), 0, 255), each step rounded to float32.
 */
export function quantizeMultiples(
  symbols: Uint16Array,
  origin: number,
  step: number,
  r: number,
  into: QuantizedTable,
  memo?: CodeMemo,
): void {
  const width = symbols.length;
  let low = 65535;
  let high = 0;
  for (let i = 0; i < width; i++) {
    const symbol = symbols[i];
    if (symbol < low) low = symbol;
    if (symbol > high) high = symbol;
  }
  if (low > high) return;
  const min = Math.fround((low + origin) * step);
  const range = Math.fround(Math.fround((high + origin) * step) - min);
  const scale = range <= 2 ** -23 ? 1 : Math.fround(range / 255);
  const zeroPoint = Math.fround(-min / scale);
  const inverse = Math.fround(1 / scale);
  into.scale[r] = scale;
  into.zeroPoint[r] = zeroPoint;
  const quantize = (symbol: number) => {
    const scaled = Math.fround(Math.fround((symbol + origin) * step) * inverse);
    const code = Math.fround(scaled + zeroPoint) + ROUND - ROUND;
    return Math.max(0, Math.min(code, 255));
  };
  const { intRepr } = into;
  const start = r * width;
  const codes = memo?.codesOf(low, high - low, quantize);
  if (codes === undefined) for (let i = 0; i < width; i++) intRepr[start + i] = quantize(symbols[i]);
  else for (let i = 0; i < width; i++) intRepr[start + i] = codes[symbols[i] - low];
}
