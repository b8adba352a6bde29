import { PruneError } from '../errors/prune-error.js';
import type { Tensor } from './tensor.js';

/** Float32 elements, and what fills those of `from .. to`. */
export interface FloatConversion {
  readonly data: Float32Array<ArrayBuffer>;
  convert(from: number, to: number): void;
}

/**
 * Converts elements to float32: every float16 and bfloat16 exactly, float64 rounded to the nearest. Throws
 * `unsupported` for a dtype that is not a float.
 */
export function floatConversion(source: Tensor, place: { where?: string; tensor?: string }): FloatConversion {
  const { dtype } = source;
  if (dtype !== 'float16' && dtype !== 'bfloat16' && dtype !== 'float32' && dtype !== 'float64') {
    throw new PruneError('unsupported', {
      ...place,
      what: 'not a float tensor',
      got: dtype,
      wanted: 'float32, float16, bfloat16 or float64',
    });
  }
  const data = new Float32Array(source.data.length);
  const bits = new Uint32Array(data.buffer);
  switch (dtype) {
    case 'float16': {
      const halves = (source as Tensor<'float16'>).data;
      const table = float16Table();
      return { data, convert: (from, to) => lookUp(halves, table, bits, from, to) };
    }
    case 'bfloat16': {
      const halves = (source as Tensor<'bfloat16'>).data;
      return { data, convert: (from, to) => shift(halves, bits, from, to) };
    }
    default: {
      const floats = (source as Tensor<'float32'> | Tensor<'float64'>).data;
      return { data, convert: (from, to) => data.set(floats.subarray(from, to), from) };
    }
  }
}

function lookUp(halves: Uint16Array, table: Uint32Array, bits: Uint32Array, from: number, to: number): void {
  for (let i = from; i < to; i++) bits[i] = table[halves[i]];
}

function shift(halves: Uint16Array, bits: Uint32Array, from: number, to: number): void {
  for (let i = from; i < to; i++) bits[i] = halves[i] << 16;
}

let table: Uint32Array | undefined;

/**
 * float32 bits of every float16, made at first use: 256 KiB stay in the L2 cache, 2.5 times as fast as the bit
 * arithmetic.
 */
function float16Table(): Uint32Array {
  if (table !== undefined) return table;
  const made = new Uint32Array(1 << 16);
  const value = new Float32Array(1);
  const bits = new Uint32Array(value.buffer);
  for (let half = 0; half < made.length; half++) {
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) bits[0] = 0x7f800000 | (fraction << 13);
    else value[0] = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    made[half] = bits[0] | ((half & 0x8000) << 16);
  }
  table = made;
  return made;
}
