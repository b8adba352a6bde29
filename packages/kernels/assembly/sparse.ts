import {
  EVEN16, GROUP_BYTES, groupPairBytes, HIGH8, LOW16, PAIR_BYTES, PAIR_WEIGHTS, pairFirst, pairSecond, QUAD_BYTES, QUAD_WEIGHTS, quadFirst, quadFourth,
  quadSecond, quadThird, ROW_BYTES, ROW_HEADER_BIAS, ROW_HEADER_BYTES, rowHeaderMinusGroups, rowHeaderPlusGroups, rowHeaderRow, rowHeaderScale,
  rowHeaderSum,
} from './generated/layout';
import { constant, readsQuads } from './memory';
import { scale } from './quantize';

// The sparse int8 kernels. src/wasm/layout.ts describes the weight stream, src/wasm/row-writer.ts writes it.
//
// Where one instruction sums four products in int32 (VNNI of x64, which the host finds out), the stream holds quads. They
// use full 8-bit codes in token order for every profile: the specification of the relaxed dot product defines 7 bits of
// a code, this instruction takes 8.
//
// Elsewhere the stream holds groups of pairs. A group's sum fits 16 bits for ANY activation, so eight tokens are summed
// in one i16x8 and widened once a group (a multiplication by 1 and 0 for the even lanes, a shift for the odd ones: the
// tile's tokens are in an order that makes them 0..3 and 4..7). Two forms:
//
//     mixed (codes 0..128): signed weights, 255 of plus and 256 of minus a group at most: -2^15 to 2^15 - 1 with the edge code 128 too
//     split (codes 0..255): magnitudes up to 127, groups of negative weights first, at most 255 a group: 255 * 255 < 2^16 for codes as they are
//                           (plain), 255 * 128 < 2^15 for codes - 128 (relaxed).
//
// The relaxed dot product takes a 7-bit operand: the codes in the mixed form, the magnitudes in the split one.
//
// The plain product multiplies two tokens at once, as a 16-bit number v = even + 256 * odd. With F = sum(w * v) and O = sum(w * (v >> 8)), both
// modulo 2^16, the even token's sum is F - 256 * O: a shift for two tokens where widening takes two loads that each unpack.
//
// The wide kernels cannot unpack bytes of vectors of 256 bits. A tile's token i of eight is in byte 4i, 8 + i in 4i + 2, 16 + i in 4i + 1, 24 + i in
// 4i + 3: shifts and a choice of bytes make the pairs of the even bytes and of the odd ones, and widening gives tokens in their order. A pair of
// nonzeros takes 9 vector operations for 32 tokens, where the others take 13.
//
// Tried and not faster: 64 tokens at a time, so that the stream is read and a group ended half as often. A pair takes 4.2 cycles for 32
// tokens (6 instructions a cycle, the most that Zen 4 issues) and 9.6 for 64, whose tile of 48 KB leaves the L1; 7.8 in blocks of half the columns,
// which have twice the groups and rows.

/** What sums begin with where results are made in float64, so that they need no sign: see linear.ts. */
export const SIGN: i32 = <i32>0x80000000;

/**
 * What a row kernel leaves: sums, results, or results added to the row at `residual`. Results are packages/quant's dynamicLinear from `acc` on, one
 * rounding of product and sum; only where the relaxed multiply-add is a fused one, which the host has found out.
 */
const SUMS: i32 = 0;
const SCALED: i32 = 1;
const ADDED: i32 = 2;

/** Instruction sets of the kernels. */
export const PLAIN: i32 = 0;
export const RELAXED_MIXED: i32 = 1;
export const RELAXED_SPLIT: i32 = 2;
/** The mixed form over whole tiles in the wide order, for any code and for codes of 7 bits. */
export const WIDE_PLAIN: i32 = 3;
export const WIDE_RELAXED: i32 = 4;
/** Quads. */
export const DOT4: i32 = 5;
/** The mixed forms of whole tiles. */
const PLAIN_32: i32 = WIDE ? WIDE_PLAIN : PLAIN;
const RELAXED_32: i32 = WIDE ? WIDE_RELAXED : RELAXED_MIXED;

/**
 * `rows` rows of a block for up to 32 tokens: adds to the sums of the blocks before in `out`, or begins with `begin` and `shift` for each weight
 * where they are fresh. Where each row begins in the stream goes to `headers`. Gives the stream's next row. Lanes, form and `then` are constants.
 * shapes: stream, tile i8[columns][32] -> out i32[features][32]
 */
@inline function sumRows(
  lanes: i32, form: i32, split: bool, p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32,
  then: i32, residual: i32,
): i32 {
  for (const end = headers + (rows << 2); headers < end; headers += 4) {
    store<i32>(headers, p);
    const start = fresh ? begin + shift * rowHeaderSum(p) : 0;
    const row = rowHeaderRow(p) * ROW_BYTES;
    p = sumRow(lanes, form, split, p, tile, out + row, fresh, start, then, residual + row);
  }
  return p;
}

@inline function sumRow(
  lanes: i32, form: i32, split: bool, p: i32, tile: i32, to: i32, fresh: bool, start: i32, then: i32, other: i32,
): i32 {
  const header = p;
  let c0 = i32x4.splat(start);
  let c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  if (!fresh) {
    c0 = v128.load(to);
    c1 = v128.load(to, 16);
    if (lanes > 8) {
      c2 = v128.load(to, 32);
      c3 = v128.load(to, 48);
    }
    if (lanes > 16) {
      c4 = v128.load(to, 64);
      c5 = v128.load(to, 80);
      c6 = v128.load(to, 96);
      c7 = v128.load(to, 112);
    }
  }
  let minus = rowHeaderMinusGroups(p);
  let groups = minus + rowHeaderPlusGroups(p);
  p += ROW_HEADER_BYTES;
  if (form == DOT4) {
    for (const end = p + QUAD_BYTES * groups; p < end; p += QUAD_BYTES) {
      const x = tile + quadFirst(p), y = tile + quadSecond(p), z = tile + quadThird(p), u = tile + quadFourth(p);
      const w = v128.load_splat<u32>(p, QUAD_WEIGHTS);
      // The fourth row is read twice, so that nothing leaves the registers.
      const x0 = v128.load(x), y0 = v128.load(y), z0 = v128.load(z);
      const xy0 = lowPairs(x0, y0), zu0 = lowPairs(z0, v128.load64_zero(u));
      c0 = dot4(w, lowWords(xy0, zu0), c0);
      c1 = dot4(w, highWords(xy0, zu0), c1);
      if (lanes > 8) {
        const xy1 = highPairs(x0, y0), zu1 = highPairs(z0, v128.load(u));
        c2 = dot4(w, lowWords(xy1, zu1), c2);
        c3 = dot4(w, highWords(xy1, zu1), c3);
      }
      if (lanes > 16) {
        const x1 = v128.load(x, 16), y1 = v128.load(y, 16), z1 = v128.load(z, 16);
        const xy2 = lowPairs(x1, y1), zu2 = lowPairs(z1, v128.load64_zero(u, 16));
        c4 = dot4(w, lowWords(xy2, zu2), c4);
        c5 = dot4(w, highWords(xy2, zu2), c5);
        const xy3 = highPairs(x1, y1), zu3 = highPairs(z1, v128.load(u, 16));
        c6 = dot4(w, lowWords(xy3, zu3), c6);
        c7 = dot4(w, highWords(xy3, zu3), c7);
      }
    }
    groups = 0;
  }
  while (groups > 0) {
    const end = p + GROUP_BYTES + groupPairBytes(p);
    p += GROUP_BYTES;
    // Relaxed: eight tokens each. Plain: F and O of sixteen.
    let a0 = i16x8.splat(0);
    let a1 = a0, a2 = a0, a3 = a0;
    do {
      const x = tile + pairFirst(p);
      const y = tile + pairSecond(p);
      const w = v128.load_splat<u16>(p, PAIR_WEIGHTS);
      const x0 = v128.load(x);
      const y0 = v128.load(y);
      if (form == WIDE_RELAXED) {
        const x1 = v128.load(x, 16);
        const y1 = v128.load(y, 16);
        a0 = i16x8.add(a0, dot(RELAXED_MIXED, w, evenPairs(x0, y0)));
        a1 = i16x8.add(a1, dot(RELAXED_MIXED, w, evenPairs(x1, y1)));
        a2 = i16x8.add(a2, dot(RELAXED_MIXED, w, oddPairs(x0, y0)));
        a3 = i16x8.add(a3, dot(RELAXED_MIXED, w, oddPairs(x1, y1)));
      } else if (form == WIDE_PLAIN) {
        const x1 = v128.load(x, 16);
        const y1 = v128.load(y, 16);
        const wx = i16x8.shr_s(i16x8.shl(w, 8), 8);
        const wy = i16x8.shr_s(w, 8);
        a0 = i16x8.add(i16x8.add(a0, i16x8.mul(wx, x0)), i16x8.mul(wy, y0));
        a1 = i16x8.add(i16x8.add(a1, i16x8.mul(wx, x1)), i16x8.mul(wy, y1));
        a2 = i16x8.add(i16x8.add(a2, i16x8.mul(wx, i16x8.shr_u(x0, 8))), i16x8.mul(wy, i16x8.shr_u(y0, 8)));
        a3 = i16x8.add(i16x8.add(a3, i16x8.mul(wx, i16x8.shr_u(x1, 8))), i16x8.mul(wy, i16x8.shr_u(y1, 8)));
      } else if (form == PLAIN) {
        const wx = i16x8.shr_s(i16x8.shl(w, 8), 8);
        const wy = i16x8.shr_s(w, 8);
        a0 = i16x8.add(i16x8.add(a0, i16x8.mul(wx, x0)), i16x8.mul(wy, y0));
        a1 = i16x8.add(i16x8.add(a1, i16x8.mul(wx, i16x8.shr_u(x0, 8))), i16x8.mul(wy, i16x8.shr_u(y0, 8)));
        if (lanes > 16) {
          const x1 = v128.load(x, 16);
          const y1 = v128.load(y, 16);
          a2 = i16x8.add(i16x8.add(a2, i16x8.mul(wx, x1)), i16x8.mul(wy, y1));
          a3 = i16x8.add(i16x8.add(a3, i16x8.mul(wx, i16x8.shr_u(x1, 8))), i16x8.mul(wy, i16x8.shr_u(y1, 8)));
        }
      } else {
        a0 = i16x8.add(a0, dot(form, w, lowPairs(x0, y0)));
        if (lanes > 8) a1 = i16x8.add(a1, dot(form, w, highPairs(x0, y0)));
        if (lanes > 16) {
          const x1 = v128.load(x, 16);
          const y1 = v128.load(y, 16);
          a2 = i16x8.add(a2, dot(form, w, lowPairs(x1, y1)));
          a3 = i16x8.add(a3, dot(form, w, highPairs(x1, y1)));
        }
      }
      p += PAIR_BYTES;
    } while (p < end);
    if (form == WIDE_PLAIN) {
      a0 = evenSums(a0, a2);
      a1 = evenSums(a1, a3);
    } else if (form == PLAIN) {
      const e0 = evenSums(a0, a1);
      a0 = lowWords(e0, a1);
      if (lanes > 8) a1 = highWords(e0, a1);
      if (lanes > 16) {
        const e1 = evenSums(a2, a3);
        a2 = lowWords(e1, a3);
        a3 = highWords(e1, a3);
      }
    }
    const unsigned = split && form == PLAIN;
    if (form >= WIDE_PLAIN) {
      c0 = i32x4.add(c0, evenLanes(false, a0));
      c1 = i32x4.add(c1, evenLanes(false, a1));
      c2 = i32x4.add(c2, oddLanes(false, a0));
      c3 = i32x4.add(c3, oddLanes(false, a1));
      c4 = i32x4.add(c4, evenLanes(false, a2));
      c5 = i32x4.add(c5, evenLanes(false, a3));
      c6 = i32x4.add(c6, oddLanes(false, a2));
      c7 = i32x4.add(c7, oddLanes(false, a3));
    } else if (split && minus > 0) {
      c0 = i32x4.sub(c0, evenLanes(unsigned, a0));
      c1 = i32x4.sub(c1, oddLanes(unsigned, a0));
      if (lanes > 8) {
        c2 = i32x4.sub(c2, evenLanes(unsigned, a1));
        c3 = i32x4.sub(c3, oddLanes(unsigned, a1));
      }
      if (lanes > 16) {
        c4 = i32x4.sub(c4, evenLanes(unsigned, a2));
        c5 = i32x4.sub(c5, oddLanes(unsigned, a2));
        c6 = i32x4.sub(c6, evenLanes(unsigned, a3));
        c7 = i32x4.sub(c7, oddLanes(unsigned, a3));
      }
      minus--;
    } else {
      c0 = i32x4.add(c0, evenLanes(unsigned, a0));
      c1 = i32x4.add(c1, oddLanes(unsigned, a0));
      if (lanes > 8) {
        c2 = i32x4.add(c2, evenLanes(unsigned, a1));
        c3 = i32x4.add(c3, oddLanes(unsigned, a1));
      }
      if (lanes > 16) {
        c4 = i32x4.add(c4, evenLanes(unsigned, a2));
        c5 = i32x4.add(c5, oddLanes(unsigned, a2));
        c6 = i32x4.add(c6, evenLanes(unsigned, a3));
        c7 = i32x4.add(c7, oddLanes(unsigned, a3));
      }
    }
    groups--;
  }
  if (then != SUMS) {
    const factor = f32x4.splat(scale * rowHeaderScale(header));
    const bias = v128.load_splat<u32>(header, ROW_HEADER_BIAS);
    c0 = result(c0, factor, bias, then, other);
    c1 = result(c1, factor, bias, then, other + 16);
    c2 = result(c2, factor, bias, then, other + 32);
    c3 = result(c3, factor, bias, then, other + 48);
    c4 = result(c4, factor, bias, then, other + 64);
    c5 = result(c5, factor, bias, then, other + 80);
    c6 = result(c6, factor, bias, then, other + 96);
    c7 = result(c7, factor, bias, then, other + 112);
  }
  // The last first: see storeBlock.
  if (lanes > 16) {
    v128.store(to, c7, 112);
    v128.store(to, c6, 96);
    v128.store(to, c5, 80);
    v128.store(to, c4, 64);
  }
  if (lanes > 8) {
    v128.store(to, c3, 48);
    v128.store(to, c2, 32);
  }
  v128.store(to, c1, 16);
  v128.store(to, c0);
  return p;
}

@inline function result(sums: v128, factor: v128, bias: v128, then: i32, other: i32): v128 {
  const y = multiplyAdd(f32x4.convert_i32x4_s(sums), factor, bias);
  return then == ADDED ? f32x4.add(y, v128.load(other)) : y;
}

/** `a * b + c` in one rounding or two, whichever this machine has. */
@inline export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return unreachable();
  return v128.relaxed_madd<f32>(a, b, c);
}

/** For the host to find that out. */
export function multiplyAddOne(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(multiplyAdd(f32x4.splat(a), f32x4.splat(b), f32x4.splat(c)), 0);
}

@inline function evenLanes(unsigned: bool, a: v128): v128 {
  return unsigned ? v128.and(a, constant(LOW16)) : i32x4.dot_i16x8_s(a, constant(EVEN16));
}

@inline function oddLanes(unsigned: bool, a: v128): v128 {
  return unsigned ? i32x4.shr_u(a, 16) : i32x4.shr_s(a, 16);
}

@inline function evenSums(f: v128, o: v128): v128 { return i16x8.sub(f, i16x8.shl(o, 8)); }

@inline function lowWords(a: v128, b: v128): v128 { return v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }

@inline function highWords(a: v128, b: v128): v128 { return v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }

// Both bytes of a pair at the place of the first and, rotated, of the second.
@inline function evenPairs(x: v128, y: v128): v128 { return bytesOf(i16x8.shl(y, 8), x); }

@inline function oddPairs(x: v128, y: v128): v128 { return bytesOf(y, i16x8.shr_u(x, 8)); }

/** High bytes of `a`, low ones of `b`. */
@inline function bytesOf(a: v128, b: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return unreachable();
  return v128.relaxed_laneselect<i8>(a, b, constant(HIGH8));
}

@inline function lowPairs(x: v128, y: v128): v128 {
  return v128.shuffle<i8>(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

@inline function highPairs(x: v128, y: v128): v128 {
  return v128.shuffle<i8>(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

@inline function dot(form: i32, weights: v128, codes: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return unreachable();
  if (form == RELAXED_MIXED) return v128.relaxed_dot<i16>(weights, codes);
  return v128.relaxed_dot<i16>(codes, weights);
}

@inline function dot4(weights: v128, codes: v128, sums: v128): v128 {
  if (!ASC_FEATURE_RELAXED_SIMD) return unreachable();
  return v128.relaxed_dot_add<i32>(weights, codes, sums);
}

// One function for each kernel.

export function plain8(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(8, PLAIN, false, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function plain16(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(16, PLAIN, false, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function plain32(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(32, PLAIN_32, false, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function plainSplit8(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(8, PLAIN, true, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function plainSplit16(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(16, PLAIN, true, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function plainSplit32(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(32, PLAIN, true, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function relaxed8(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(8, RELAXED_MIXED, false, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function relaxed16(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(16, RELAXED_MIXED, false, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function relaxed32(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(32, RELAXED_32, false, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function relaxedSplit8(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(8, RELAXED_SPLIT, true, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function relaxedSplit16(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(16, RELAXED_SPLIT, true, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function relaxedSplit32(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(32, RELAXED_SPLIT, true, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}

export function dot4x8(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(8, DOT4, false, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function dot4x16(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(16, DOT4, false, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}
export function dot4x32(p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32): i32 {
  return sumRows(32, DOT4, false, p, tile, out, rows, fresh, begin, shift, headers, SUMS, 0);
}

function relaxed32Scaled(
  p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32,
): i32 {
  return sumRows(32, RELAXED_32, false, p, tile, out, rows, fresh, begin, shift, headers, SCALED, 0);
}
function relaxed32Added(
  p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32, residual: i32,
): i32 {
  return sumRows(32, RELAXED_32, false, p, tile, out, rows, fresh, begin, shift, headers, ADDED, residual);
}

function dot4x32Scaled(
  p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32,
): i32 {
  return sumRows(32, DOT4, false, p, tile, out, rows, fresh, begin, shift, headers, SCALED, 0);
}
function dot4x32Added(
  p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32, residual: i32,
): i32 {
  return sumRows(32, DOT4, false, p, tile, out, rows, fresh, begin, shift, headers, ADDED, residual);
}

/** The kernel that makes results of a whole tile, added to the row at `residual` or not; signed weights, and codes of 7 bits where they are in pairs. */
@inline export function resultRowsOf(
  add: bool, p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32, residual: i32,
): i32 {
  if (readsQuads()) {
    if (add) return dot4x32Added(p, tile, out, rows, fresh, begin, shift, headers, residual);
    return dot4x32Scaled(p, tile, out, rows, fresh, begin, shift, headers);
  }
  if (add) return relaxed32Added(p, tile, out, rows, fresh, begin, shift, headers, residual);
  return relaxed32Scaled(p, tile, out, rows, fresh, begin, shift, headers);
}

/** The kernel for `vectors` of 4 tokens. `plain`: some code is not of 7 bits. */
@inline export function sumRowsOf(
  plain: bool, split: bool, vectors: i32, p: i32, tile: i32, out: i32, rows: i32, fresh: bool, begin: i32, shift: i32, headers: i32,
): i32 {
  if (readsQuads()) {
    if (vectors > 4) return dot4x32(p, tile, out, rows, fresh, begin, shift, headers);
    if (vectors > 2) return dot4x16(p, tile, out, rows, fresh, begin, shift, headers);
    return dot4x8(p, tile, out, rows, fresh, begin, shift, headers);
  }
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (split) {
      if (vectors > 4) return relaxedSplit32(p, tile, out, rows, fresh, begin, shift, headers);
      if (vectors > 2) return relaxedSplit16(p, tile, out, rows, fresh, begin, shift, headers);
      return relaxedSplit8(p, tile, out, rows, fresh, begin, shift, headers);
    }
    if (!plain) {
      if (vectors > 4) return relaxed32(p, tile, out, rows, fresh, begin, shift, headers);
      if (vectors > 2) return relaxed16(p, tile, out, rows, fresh, begin, shift, headers);
      return relaxed8(p, tile, out, rows, fresh, begin, shift, headers);
    }
  }
  if (split) {
    if (vectors > 4) return plainSplit32(p, tile, out, rows, fresh, begin, shift, headers);
    if (vectors > 2) return plainSplit16(p, tile, out, rows, fresh, begin, shift, headers);
    return plainSplit8(p, tile, out, rows, fresh, begin, shift, headers);
  }
  if (vectors > 4) return plain32(p, tile, out, rows, fresh, begin, shift, headers);
  if (vectors > 2) return plain16(p, tile, out, rows, fresh, begin, shift, headers);
  return plain8(p, tile, out, rows, fresh, begin, shift, headers);
}
