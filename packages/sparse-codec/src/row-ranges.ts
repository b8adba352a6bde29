import { type Pacer, type TensorData, tensor } from '@prune/core';
import { corrupt } from './corrupt.js';
import { MAX_GRID_BITS } from './dyadic-grid.js';
import { decodeFloats, encodeFloats } from './float-block.js';
import { foldedOrigin, unfoldedOrigin } from './folded.js';
import { joined } from './joined.js';
import { sizeOf } from './size-of.js';
import { decodeSymbols, encodeSymbols, MAX_ALPHABET } from './symbol-coder.js';
import type { ByteReader } from './varint.js';

/** The largest code of the quantizers that there are: 4 bits and 8. */
const DIVISORS = [15, 255] as const;

/** Scale and zero point of rows that were quantized from their minimum to their maximum. */
export interface RowRanges {
  readonly scale: Float32Array;
  readonly zeroPoint: Float32Array;
}

/**
 * Scales and zero points as the parts of a block: where all rows ran from a minimum over a range that are multiples of
 * 2^-n, those two integers, of which scale and zero point are computed again to the bit (2.1 instead of 4.5 bytes a row
 * of mini-qa's table of 4 bits); else as floats.
 */
export async function encodeRowRanges({ scale, zeroPoint }: RowRanges, pacer: Pacer): Promise<Uint8Array[]> {
  const grid = await rangeGrid({ scale, zeroPoint }, pacer);
  if (grid === undefined) return [joined([0], []), ...(await encodeRowFloats({ scale, zeroPoint }, pacer))];
  const { divisor, bits, origin, minimum, range } = grid;
  const alphabets = [minimum, range].map((symbols) => symbols.reduce((most, symbol) => Math.max(most, symbol), 0) + 1);
  return [
    joined([1, divisor, bits, foldedOrigin(origin), ...alphabets], []),
    ...(await encodeSymbols(minimum, alphabets[0], pacer)),
    ...(await encodeSymbols(range, alphabets[1], pacer)),
  ];
}

/** Minima and ranges of rows as integers, of which scales and zero points are computed again. */
export interface RangeGrid {
  readonly divisor: number;
  readonly bits: number;
  /** The least minimum. */
  readonly origin: number;
  /** Of each row: its minimum less the least, and its range. */
  readonly minimum: Uint16Array;
  readonly range: Uint16Array;
}

/** The coarsest grid that gives back every bit of all rows; `undefined` when there is none, or no row. */
export async function rangeGrid({ scale, zeroPoint }: RowRanges, pacer: Pacer): Promise<RangeGrid | undefined> {
  for (const divisor of DIVISORS) {
    for (let bits = 0; scale.length > 0 && bits <= MAX_GRID_BITS; bits++) {
      await pacer.pause();
      const grid = gridOf({ scale, zeroPoint }, divisor, bits);
      if (grid !== undefined) return { divisor, bits, ...grid };
    }
  }
  return undefined;
}

/** Scales and zero points as floats. */
export async function encodeRowFloats({ scale, zeroPoint }: RowRanges, pacer: Pacer): Promise<Uint8Array[]> {
  const floats = async (values: Float32Array) => {
    const parts = await encodeFloats(tensor('float32', [values.length], values as TensorData<'float32'>), pacer);
    return [joined([sizeOf(parts)], []), ...parts];
  };
  return [...(await floats(scale)), ...(await floats(zeroPoint))];
}

/** `rows` scales and zero points of what {@link encodeRowFloats} made. Throws `corrupt`. */
export async function decodeRowFloats(reader: ByteReader, rows: number, pacer: Pacer): Promise<RowRanges> {
  const floats = async (what: string) => {
    const part = reader.take(what, reader.varint(what, reader.bytes.length));
    return (await decodeFloats(part, 'float32', [rows], rows, pacer)).data as Float32Array;
  };
  return { scale: await floats('scales'), zeroPoint: await floats('zero points') };
}

/** `rows` scales and zero points of what {@link encodeRowRanges} made. Throws `corrupt`. */
export async function decodeRowRanges(reader: ByteReader, rows: number, pacer: Pacer): Promise<RowRanges> {
  if (reader.varint('form of scales', 1) === 0) return decodeRowFloats(reader, rows, pacer);
  const divisor = reader.varint('largest code', 255);
  if (divisor === 0) throw corrupt('largest code', divisor, 'at least 1');
  const unit = 2 ** reader.varint('bits of the grid', MAX_GRID_BITS);
  const origin = unfoldedOrigin(reader.varint('origin of the grid', 2 ** 25));
  const alphabets = [reader.varint('alphabet', MAX_ALPHABET), reader.varint('alphabet', MAX_ALPHABET)];
  const [minimum, range] = [new Uint16Array(rows), new Uint16Array(rows)];
  await decodeSymbols(reader, minimum, alphabets[0], pacer);
  await decodeSymbols(reader, range, alphabets[1], pacer);
  const ranges = { scale: new Float32Array(rows), zeroPoint: new Float32Array(rows) };
  for (let r = 0; r < rows; r++) {
    const scale = scaleOf(range[r] / unit, divisor);
    ranges.scale[r] = scale;
    ranges.zeroPoint[r] = zeroPointOf((minimum[r] + origin) / unit, scale);
  }
  return ranges;
}

/** Where a row's minimum lies among its codes; to be rounded to float32. */
export function zeroPointOf(minimum: number, scale: number): number {
  return -Math.fround(minimum) / scale;
}

/** PyTorch's: 1 for a range of at most 2^-23. */
export function scaleOf(range: number, divisor: number): number {
  return range <= 2 ** -23 ? 1 : Math.fround(Math.fround(range) / divisor);
}

/** The minima less the smallest, and the ranges, in steps of 2^-bits; `undefined` when those do not give every bit back. */
function gridOf({ scale, zeroPoint }: RowRanges, divisor: number, bits: number) {
  const unit = 2 ** bits;
  const minima = new Float64Array(scale.length);
  const range = new Uint16Array(scale.length);
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let r = 0; r < scale.length; r++) {
    const span = Math.round(scale[r] * divisor * unit);
    // Not -0.
    const minimum = Math.round(-zeroPoint[r] * scale[r] * unit) + 0;
    least = Math.min(least, minimum);
    most = Math.max(most, minimum);
    if (!(span >= 0 && span < MAX_ALPHABET && most - least < MAX_ALPHABET && Math.abs(minimum) < 2 ** 24))
      return undefined;
    if (!Object.is(scaleOf(span / unit, divisor), scale[r])) return undefined;
    if (!Object.is(Math.fround(-minimum / unit / scale[r]), zeroPoint[r])) return undefined;
    minima[r] = minimum;
    range[r] = span;
  }
  return { origin: least, minimum: Uint16Array.from(minima, (minimum) => minimum - least), range };
}
