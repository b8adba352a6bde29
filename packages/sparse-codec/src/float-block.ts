import { DTYPES, type Dtype, inBlocks, type Pacer, type Tensor, type TensorData, tensor } from '@prune/core';
import { corrupt } from './corrupt.js';
import { type DyadicGrid, dyadicGrid, MAX_GRID_BITS } from './dyadic-grid.js';
import { foldedOrigin, unfoldedOrigin } from './folded.js';
import { decodeGridRows, encodeGridRows } from './grid-rows.js';
import { joined } from './joined.js';
import { decodePlanes, encodePlanes } from './planes.js';
import { MAX_ALPHABET } from './symbol-coder.js';
import { ByteReader } from './varint.js';

/** How the elements were transformed before they were coded; the first number of the block. */
const TRANSFORMS = { planes: 0, half: 1, grid: 2 } as const;

/**
 * A dense tensor as the parts of a block, by what it turns out to be: float32 on a grid of 2^-n (a table that was
 * rounded), float32 that float16 holds exactly (a model saved as such), or planes of bytes. -0, infinities and every
 * NaN come back with their bits.
 */
export async function encodeFloats({ dtype, shape, data }: Tensor, pacer: Pacer): Promise<Uint8Array[]> {
  if (dtype === 'float32') {
    const values = data as Float32Array;
    // A table of frequencies pays from about four elements a symbol on.
    const grid = await dyadicGrid(values, Math.min(MAX_ALPHABET, values.length / 4), pacer);
    if (grid !== undefined) {
      const { bits, origin, alphabet, negativeZero } = grid;
      const symbols = new Uint16Array(values.length);
      await inBlocks(values.length, pacer, (from, to) => toGrid(values, grid, symbols, from, to));
      const head = [TRANSFORMS.grid, bits, foldedOrigin(origin), alphabet, negativeZero ? 1 : 0];
      const rows = await encodeGridRows(symbols, widthOf(shape, symbols.length), alphabet, pacer);
      return [joined(head, []), ...rows];
    }
    const halves = new Uint16Array(values.length);
    let exact = true;
    await inBlocks(values.length, pacer, (from, to) => {
      exact &&= narrow(values, halves, from, to);
    });
    if (exact) return [joined([TRANSFORMS.half], []), ...(await encodePlanes(bytesOf(halves), 2, pacer))];
    const turned = new Float32Array(values.length);
    await inBlocks(values.length, pacer, (from, to) => {
      rotate(values.subarray(from, to), 1, turned.subarray(from, to));
    });
    return [joined([TRANSFORMS.planes], []), ...(await encodePlanes(bytesOf(turned), 4, pacer))];
  }
  const planes = await encodePlanes(bytesOf(data), DTYPES[dtype].bytes, pacer);
  return [joined([TRANSFORMS.planes], []), ...planes];
}

/**
 * The tensor of a block that has the parts of {@link encodeFloats}. Throws `corrupt`. `count`: the elements of `shape`,
 * checked by the caller.
 */
export async function decodeFloats(
  bytes: Uint8Array,
  dtype: Dtype,
  shape: readonly number[],
  count: number,
  pacer: Pacer,
): Promise<Tensor> {
  const reader = new ByteReader(bytes);
  const data = new DTYPES[dtype].array(count) as TensorData;
  const transform = reader.varint('transform', 255);
  if (transform === TRANSFORMS.planes) {
    await decodePlanes(reader, bytesOf(data), DTYPES[dtype].bytes, pacer);
    if (dtype === 'float32') {
      const values = data as Float32Array;
      await inBlocks(count, pacer, (from, to) => {
        const part = values.subarray(from, to);
        rotate(part, 31, part);
      });
    }
  } else if (transform === TRANSFORMS.half && dtype === 'float32') {
    const halves = secondHalf(data as Float32Array);
    await decodePlanes(reader, bytesOf(halves), 2, pacer);
    await inBlocks(count, pacer, (from, to) => widen(halves, data as Float32Array, from, to));
  } else if (transform === TRANSFORMS.grid && dtype === 'float32') {
    const step = 2 ** -reader.varint('bits of the grid', MAX_GRID_BITS);
    const origin = unfoldedOrigin(reader.varint('origin of the grid', 2 ** 40));
    // The encoder's own bound: a frequency takes as long to read as about four elements.
    const alphabet = reader.varint('alphabet', Math.min(MAX_ALPHABET, Math.floor(count / 4) + 1));
    const negativeZero = reader.varint('whether -0 occurs', 1) === 1 ? alphabet - 1 : alphabet;
    const symbols = secondHalf(data as Float32Array);
    await decodeGridRows(reader, symbols, widthOf(shape, count), alphabet, pacer);
    const values = data as Float32Array;
    const multiples = { origin, step, negativeZero };
    await inBlocks(count, pacer, (from, to) => fromGrid(symbols, multiples, values, from, to));
  } else {
    throw corrupt('unknown transform', `${transform} for ${dtype}`, 'planes, or half or grid for float32');
  }
  if (reader.offset !== bytes.length) throw corrupt('bytes after the tensor', bytes.length, reader.offset);
  return tensor(dtype, shape, data as never);
}

/**
 * An integer of 16 bits for each value, in the second half of the memory of the values: element i ends where value i
 * does or after it, so the values can be written in order, each after its integer was read.
 */
function secondHalf({ buffer, byteOffset, length }: Float32Array): Uint16Array {
  return new Uint16Array(buffer, byteOffset + 2 * length, length);
}

/** Elements of a row: the last dimension; a tensor without elements has none. */
function widthOf(shape: readonly number[], count: number): number {
  return count === 0 ? 0 : (shape.at(-1) ?? 1);
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The bits of each value rotated left, so that the sign does not split the exponent from its byte. */
function rotate(values: Float32Array, by: number, into: Float32Array): void {
  const from = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const to = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = 0; i < from.length; i++) to[i] = (from[i] << by) | (from[i] >>> (32 - by));
}

/**
 * Writes the float16 bits of the values `from .. to`; false when one does not have them exactly, as infinities and NaN
 * never do here.
 */
export function narrow(values: Float32Array, halves: Uint16Array, from: number, to: number): boolean {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = from; i < to; i++) {
    const magnitude = bits[i] & 0x7fffffff;
    const sign = (bits[i] >>> 16) & 0x8000;
    if (magnitude === 0) {
      halves[i] = sign;
      continue;
    }
    const exponent = (magnitude >>> 23) - 112;
    if (exponent >= 1 && exponent <= 30 && (magnitude & 0x1fff) === 0) {
      halves[i] = sign | (exponent << 10) | ((magnitude >>> 13) & 0x3ff);
      continue;
    }
    // Subnormal halves: whole multiples of 2^-24 below 2^-14.
    const multiple = Math.abs(values[i]) * 2 ** 24;
    if (!(multiple < 1024) || Math.floor(multiple) !== multiple) return false;
    halves[i] = sign | multiple;
  }
  return true;
}

function toGrid(values: Float32Array, grid: DyadicGrid, symbols: Uint16Array, from: number, to: number): void {
  const { bits, origin, alphabet } = grid;
  const scale = 2 ** bits;
  for (let i = from; i < to; i++) {
    symbols[i] = Object.is(values[i], -0) ? alphabet - 1 : values[i] * scale - origin;
  }
}

function fromGrid(
  symbols: Uint16Array,
  { origin, step, negativeZero }: { readonly origin: number; readonly step: number; readonly negativeZero: number },
  into: Float32Array,
  from: number,
  to: number,
): void {
  for (let i = from; i < to; i++) into[i] = symbols[i] === negativeZero ? -0 : (symbols[i] + origin) * step;
}

/** Every float16 is exactly a float32; infinities and NaN, which the encoder never makes, become large numbers. */
export function widen(halves: Uint16Array, into: Float32Array, from: number, to: number): void {
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length);
  for (let i = from; i < to; i++) {
    const half = halves[i];
    const sign = (half & 0x8000) << 16;
    const magnitude = half & 0x7fff;
    if (magnitude >= 0x400) bits[i] = sign | ((magnitude << 13) + (112 << 23));
    else if (magnitude === 0) bits[i] = sign;
    else into[i] = sign === 0 ? magnitude * 2 ** -24 : magnitude * -(2 ** -24);
  }
}
