import { constant, EVEN_16 } from './memory';
import { center } from './quantize';

// The sparse int8 kernels. The weight stream of a block of columns (src/wasm/pack-linear.ts writes it), row by row:
//
//     row    uint32 row                                which one it is
//            int32 sum, float32 scale, float32 bias    of all its weights; bias -0 where there is none: x + -0 is x for every x
//            uint16 minus, uint16 plus                 how many groups it has
//     group  uint16 bytes                              of the pairs that follow; at least one
//     pair   uint16 a, uint16 b                        offsets of two features' rows in the quantized tile (column * 32)
//            int8 wa, int8 wb                          their weights; an odd one out is with a weight of 0
//
// A group's sum fits int16 for ANY activation, so eight tokens are summed in one i16x8 and widened once a group (a
// multiplication by 1 and 0 for the even lanes, a shift for the odd ones: the tile's tokens are in an order that makes them 0..3 and 4..7). Two forms:
//
//     mixed (codes 0..127): signed weights, 255 of plus and 256 of minus a group at most. 256 * 127 < 2^15 for codes as they are (relaxed);
//                           511 * 64 < 2^15 for codes - 64, the edge code 128 included (plain).
//     split (codes 0..255): magnitudes up to 127, groups of negative weights first, at most 255 a group; codes - 128: 255 * 128 < 2^15.
//
// The relaxed dot product takes a 7-bit operand: the codes in the mixed form, the magnitudes in the split one.

/** Instruction sets of the kernels. */
export const PLAIN: i32 = 0;
export const RELAXED_MIXED: i32 = 1;
export const RELAXED_SPLIT: i32 = 2;

/** Sums one row into c0..c7 and stores them; generic over lanes and form, both constants. Gives the stream's next row. */
// @ts-ignore: decorator
@inline function sumRow(lanes: i32, form: i32, split: bool, p: i32, tile: i32, from: i32, to: i32): i32 {
  let c0 = i32x4.splat(0);
  let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  if (from != 0) {
    c0 = v128.load(from);
    c1 = v128.load(from, 16);
    if (lanes > 8) {
      c2 = v128.load(from, 32);
      c3 = v128.load(from, 48);
    }
    if (lanes > 16) {
      c4 = v128.load(from, 64);
      c5 = v128.load(from, 80);
      c6 = v128.load(from, 96);
      c7 = v128.load(from, 112);
    }
  }
  let minus = <i32>load<u16>(p, 16);
  let groups = minus + <i32>load<u16>(p, 18);
  p += 20;
  while (groups > 0) {
    const end = p + 2 + <i32>load<u16>(p);
    p += 2;
    let a0 = i16x8.splat(0);
    let a1 = i16x8.splat(0);
    let a2 = i16x8.splat(0);
    let a3 = i16x8.splat(0);
    do {
      const x = tile + <i32>load<u16>(p);
      const y = tile + <i32>load<u16>(p, 2);
      if (form == PLAIN) {
        const w = v128.load_splat<u16>(p, 4);
        const wy = i16x8.shr_s(w, 8);
        const wx = i16x8.shr_s(i16x8.shl(w, 8), 8);
        a0 = i16x8.add(a0, i16x8.mul(wx, v128.load_ext<i8>(x)));
        if (lanes > 8) a1 = i16x8.add(a1, i16x8.mul(wx, v128.load_ext<i8>(x, 8)));
        if (lanes > 16) a2 = i16x8.add(a2, i16x8.mul(wx, v128.load_ext<i8>(x, 16)));
        if (lanes > 16) a3 = i16x8.add(a3, i16x8.mul(wx, v128.load_ext<i8>(x, 24)));
        a0 = i16x8.add(a0, i16x8.mul(wy, v128.load_ext<i8>(y)));
        if (lanes > 8) a1 = i16x8.add(a1, i16x8.mul(wy, v128.load_ext<i8>(y, 8)));
        if (lanes > 16) a2 = i16x8.add(a2, i16x8.mul(wy, v128.load_ext<i8>(y, 16)));
        if (lanes > 16) a3 = i16x8.add(a3, i16x8.mul(wy, v128.load_ext<i8>(y, 24)));
      } else {
        const w = v128.load_splat<u16>(p, 4);
        const xs = v128.load(x);
        const ys = v128.load(y);
        a0 = i16x8.add(a0, dot(form, w, lowPairs(xs, ys)));
        if (lanes > 8) a1 = i16x8.add(a1, dot(form, w, highPairs(xs, ys)));
        if (lanes > 16) {
          const xs2 = v128.load(x, 16);
          const ys2 = v128.load(y, 16);
          a2 = i16x8.add(a2, dot(form, w, lowPairs(xs2, ys2)));
          a3 = i16x8.add(a3, dot(form, w, highPairs(xs2, ys2)));
        }
      }
      p += 6;
    } while (p < end);
    const even = constant(EVEN_16);
    if (split && minus > 0) {
      c0 = i32x4.sub(c0, i32x4.dot_i16x8_s(a0, even));
      c1 = i32x4.sub(c1, i32x4.shr_s(a0, 16));
      if (lanes > 8) {
        c2 = i32x4.sub(c2, i32x4.dot_i16x8_s(a1, even));
        c3 = i32x4.sub(c3, i32x4.shr_s(a1, 16));
      }
      if (lanes > 16) {
        c4 = i32x4.sub(c4, i32x4.dot_i16x8_s(a2, even));
        c5 = i32x4.sub(c5, i32x4.shr_s(a2, 16));
        c6 = i32x4.sub(c6, i32x4.dot_i16x8_s(a3, even));
        c7 = i32x4.sub(c7, i32x4.shr_s(a3, 16));
      }
      minus--;
    } else {
      c0 = i32x4.add(c0, i32x4.dot_i16x8_s(a0, even));
      c1 = i32x4.add(c1, i32x4.shr_s(a0, 16));
      if (lanes > 8) {
        c2 = i32x4.add(c2, i32x4.dot_i16x8_s(a1, even));
        c3 = i32x4.add(c3, i32x4.shr_s(a1, 16));
      }
      if (lanes > 16) {
        c4 = i32x4.add(c4, i32x4.dot_i16x8_s(a2, even));
        c5 = i32x4.add(c5, i32x4.shr_s(a2, 16));
        c6 = i32x4.add(c6, i32x4.dot_i16x8_s(a3, even));
        c7 = i32x4.add(c7, i32x4.shr_s(a3, 16));
      }
    }
    groups--;
  }
  v128.store(to, c0);
  v128.store(to, c1, 16);
  if (lanes > 8) {
    v128.store(to, c2, 32);
    v128.store(to, c3, 48);
  }
  if (lanes > 16) {
    v128.store(to, c4, 64);
    v128.store(to, c5, 80);
    v128.store(to, c6, 96);
    v128.store(to, c7, 112);
  }
  return p;
}

// @ts-ignore: decorator
@inline function lowPairs(x: v128, y: v128): v128 {
  return v128.shuffle<i8>(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

// @ts-ignore: decorator
@inline function highPairs(x: v128, y: v128): v128 {
  return v128.shuffle<i8>(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// @ts-ignore: decorator
@inline function dot(form: i32, weights: v128, codes: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return unreachable();
  if (form == RELAXED_MIXED) return v128.relaxed_dot<i16>(weights, codes);
  return v128.relaxed_dot<i16>(codes, weights);
}

// One function for each kernel: the row loop stays outside, a call a row is nothing beside its work.

export function plain8(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(8, PLAIN, false, p, tile, from, to); }
export function plain16(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(16, PLAIN, false, p, tile, from, to); }
export function plain32(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(32, PLAIN, false, p, tile, from, to); }
export function plainSplit8(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(8, PLAIN, true, p, tile, from, to); }
export function plainSplit16(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(16, PLAIN, true, p, tile, from, to); }
export function plainSplit32(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(32, PLAIN, true, p, tile, from, to); }
export function relaxed8(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(8, RELAXED_MIXED, false, p, tile, from, to); }
export function relaxed16(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(16, RELAXED_MIXED, false, p, tile, from, to); }
export function relaxed32(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(32, RELAXED_MIXED, false, p, tile, from, to); }
export function relaxedSplit8(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(8, RELAXED_SPLIT, true, p, tile, from, to); }
export function relaxedSplit16(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(16, RELAXED_SPLIT, true, p, tile, from, to); }
export function relaxedSplit32(p: i32, tile: i32, from: i32, to: i32): i32 { return sumRow(32, RELAXED_SPLIT, true, p, tile, from, to); }

/**
 * Rows [row, end) of a block: adds to the sums of the blocks before (`from`, 0 for the first) and leaves them at `to`, a row of 128 bytes each.
 * shapes: stream, tile i8[columns][32] -> to i32[rows][32]
 */
// @ts-ignore: decorator
@inline export function sumRowOf(split: bool, vectors: i32, p: i32, tile: i32, from: i32, to: i32): i32 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (split) {
      return vectors > 4
        ? relaxedSplit32(p, tile, from, to)
        : vectors > 2
        ? relaxedSplit16(p, tile, from, to)
        : relaxedSplit8(p, tile, from, to);
    }
    if (center == 0) {
      return vectors > 4 ? relaxed32(p, tile, from, to) : vectors > 2 ? relaxed16(p, tile, from, to) : relaxed8(p, tile, from, to);
    }
  }
  if (split) {
    return vectors > 4
      ? plainSplit32(p, tile, from, to)
      : vectors > 2
      ? plainSplit16(p, tile, from, to)
      : plainSplit8(p, tile, from, to);
  }
  return vectors > 4 ? plain32(p, tile, from, to) : vectors > 2 ? plain16(p, tile, from, to) : plain8(p, tile, from, to);
}
