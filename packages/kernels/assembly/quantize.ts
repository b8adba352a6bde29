import {
  CODE_ROW_BYTES, MAGIC, planProfile, planRowwise, planThreads, PROFILE_FBGEMM, PROFILE_ONNXRUNTIME, PUBLISHED_RANGE_BYTES, publishedRangeHigh,
  publishedRangeLow, ROW_BYTES, SCRATCH_ROW_RESULTS, SCRATCH_TOKEN_INVERSE, SCRATCH_TOKEN_SCALE, SCRATCH_TOKEN_ZERO, SCRATCH_WIDE_ZERO,
} from './generated/layout';
import { constant, quantizedTile, readsQuads, scratch, storePair } from './memory';
import { INFINITY_BITS, MINUS_INFINITY_BITS, NONE_BELOW } from './range';

/** The bits of the constant MAGIC. */
const MAGIC_BITS: i32 = 0x4b400000;
/** What relaxed kernels of 8 bits read codes less of, so that they are int8. */
const SIGNED_CENTER: i32 = 128;
/** Larger than every quotient of an activation and its scale, unless the scale is 0; fits int16. */
const LARGEST_QUOTIENT: f32 = 512;

/** float32 scale, its inverse, and the zero point: results of `choose`. */
export let scale: f32 = 0;
export let inverse: f32 = 0;
export let zeroPoint: i32 = 0;

/** What is subtracted from the codes that are in the quantized tile. */
export let center: i32 = 0;
/** Whether a code of the tile is 128: legal (see numerics), but only 7 bits are defined for the relaxed kernel, so the tile takes the plain one. */
export let edge: bool = false;

/** activationQuantization of packages/quant, line by line. Gives false where that throws. */
export function choose(highBits: i32, lowBits: u32): bool {
  if (highBits >= INFINITY_BITS || lowBits >= MINUS_INFINITY_BITS) return false;
  if (planProfile() == PROFILE_ONNXRUNTIME) return chooseByOnnxruntime(reinterpret<f32>(lowBits), reinterpret<f32>(highBits));
  const qmax: f64 = planProfile() == PROFILE_FBGEMM ? 127 : 255;
  let low: f64 = reinterpret<f32>(lowBits);
  let high: f64 = reinterpret<f32>(highBits);
  const threshold: f32 = 6.1e-5;
  let exact: f64 = (high - low) / qmax;
  if (<f32>exact == 0 || <f32>(1.0 / <f64>(<f32>exact)) == Infinity) exact = 0.1;
  if (exact < <f64>threshold) {
    const amplifier: f64 = <f64>(<f32>(<f64>threshold / <f64>(<f32>exact)));
    exact = <f64>threshold;
    if (low == 0) high = <f64>(<f32>(<f64>threshold * qmax));
    else if (high == 0) low = -(<f64>(<f32>(<f64>threshold * qmax)));
    else {
      low = <f64>(<f32>(low * amplifier));
      high = <f64>(<f32>(high * amplifier));
    }
  }
  const errorFromLow = -abs(low / exact);
  const errorFromHigh = qmax - abs(high / exact);
  const zero = errorFromLow < errorFromHigh ? -low / exact : qmax - high / exact;
  zeroPoint = <i32>nearest(max<f64>(0, min<f64>(zero, qmax)));
  scale = <f32>exact;
  inverse = <f32>(1.0 / <f64>scale);
  return true;
}

function chooseByOnnxruntime(low: f32, high: f32): bool {
  scale = low == high ? 1 : (high - low) / 255;
  if (scale == Infinity) return false;
  const zero: f32 = -(low / scale);
  zeroPoint = zero < 255 ? <i32>nearest(zero) : 255;
  return true;
}

/** The ranges that the threads published at `slots`, taken together, as scale and zero point. False when not finite. */
export function chooseFrom(slots: i32): bool {
  let high: i32 = 0;
  let low: u32 = <u32>NONE_BELOW;
  for (let thread = 0; thread < planThreads(); thread++) {
    high = max(high, publishedRangeHigh(slots + thread * PUBLISHED_RANGE_BYTES));
    low = max(low, publishedRangeLow(slots + thread * PUBLISHED_RANGE_BYTES));
  }
  return choose(high, low);
}

/**
 * Quantizes float32 [columns][32] at `x` to the bytes that the kernels read: codes of 8 bits for the plain ones, of which the relaxed ones take
 * 7 bits, or 8 bits less 128. `vectors` of 4 lanes are wanted, the others may hold anything. Gives false when a token's range is not finite.
 * shapes: x f32[columns][32] -> quantizedTile i8[columns][32], eight tokens in the order 0 4 1 5 2 6 3 7; for quads codes of 8 bits as they are, in order
 */
export function quantizeTile(x: i32, columns: i32, vectors: i32): bool {
  const eightBits = planProfile() != PROFILE_FBGEMM;
  const rowwise = planRowwise();
  if (rowwise && !chooseTokens(x, columns, vectors)) return false;
  const divide = planProfile() == PROFILE_ONNXRUNTIME;
  const dot4 = readsQuads();
  center = eightBits && ASC_FEATURE_RELAXED_SIMD && !dot4 ? SIGNED_CENTER : 0;
  const target = quantizedTile();
  edge = false;
  if (WIDE && !dot4 && !eightBits && vectors > 4) {
    edge = quantizeWide(x, target, columns, vectors, rowwise);
    return true;
  }
  for (let half = 0; half < vectors; half += 4) {
    const from = x + (half << 4);
    const to = target + (half << 2);
    if (divide) {
      if (dot4) quantizeHalf(from, to, columns, true, false, rowwise, half << 4, true);
      else quantizeHalf(from, to, columns, false, true, rowwise, half << 4, true);
      continue;
    }
    if (dot4) {
      if (rowwise) quantizeHalf(from, to, columns, true, false, true, half << 4, false);
      else quantizeHalf(from, to, columns, true, false, false, 0, false);
      continue;
    }
    const seen = rowwise
      ? quantizeHalf(from, to, columns, false, eightBits, true, half << 4, false)
      : quantizeHalf(from, to, columns, false, eightBits, false, 0, false);
    // Lanes that are not wanted hold anything.
    const vectorOfByte = i8x16(0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3, 2, 3);
    const wanted = i8x16.lt_s(vectorOfByte, i8x16.splat(<i8>(vectors - half)));
    if (v128.any_true(v128.and(v128.and(seen, wanted), i8x16.splat(-128)))) edge = true;
  }
  return true;
}

/**
 * The same for the wide kernels: token i of eight in the first byte of each four, token 8 + i in the third, 16 + i in the second, 24 + i in the
 * fourth. Gives whether a code that is wanted is 128.
 */
function quantizeWide(x: i32, target: i32, columns: i32, vectors: i32, rowwise: bool): bool {
  const units = scratch;
  const seen = scratch + SCRATCH_ROW_RESULTS;
  const bits = i32x4.splat(-MAGIC_BITS);
  for (let j = 0; j < ROW_BYTES; j += 16) {
    if (rowwise) v128.store(scratch + j, i32x4.add(v128.load(scratch + j, SCRATCH_TOKEN_ZERO), bits), SCRATCH_WIDE_ZERO);
    else {
      v128.store(scratch + j, f32x4.splat(inverse), SCRATCH_TOKEN_INVERSE);
      v128.store(scratch + j, i32x4.add(i32x4.splat(zeroPoint), bits), SCRATCH_WIDE_ZERO);
    }
  }
  let s0 = i32x4.splat(0), s1 = s0;
  for (const end = x + columns * ROW_BYTES; x < end; x += ROW_BYTES) {
    const t0 = fourCodes(x, units, 0), t1 = fourCodes(x, units, 16);
    s0 = v128.or(s0, t0);
    s1 = v128.or(s1, t1);
    storePair(target, t0, t1);
    target += CODE_ROW_BYTES;
  }
  storePair(seen, s0, s1);
  let any: i32 = 0;
  for (let token = 0; token < vectors << 2; token++) {
    // Eights 0, 1, 2, 3 in the bytes 0, 2, 1, 3.
    any |= load<u8>(seen + ((token & 7) << 2) + ((token >> 4) & 1) + ((token >> 2) & 2));
  }
  return any > 127;
}

/** Codes of tokens 0..3 (4..7 at offset 16), and of those 8, 16 and 24 after them, as the bytes of four int32. */
@inline function fourCodes(x: i32, units: i32, at: i32): v128 {
  const a = codeOf(x, units, at), b = codeOf(x, units, at + 64), c = codeOf(x, units, at + 32), d = codeOf(x, units, at + 96);
  return v128.or(v128.or(a, i32x4.shl(b, 8)), v128.or(i32x4.shl(c, 16), i32x4.shl(d, 24)));
}

@inline function codeOf(x: i32, units: i32, at: i32): v128 {
  const t = f32x4.add(f32x4.mul(v128.load(x + at), v128.load(units + at, SCRATCH_TOKEN_INVERSE)), constant(MAGIC));
  // Lanes that are not wanted would reach into their neighbours'.
  return v128.and(i32x4.max_s(i32x4.add(t, v128.load(units + at, SCRATCH_WIDE_ZERO)), i32x4.splat(0)), i32x4.splat(255));
}

/**
 * `eightBits`: of a build that reads these otherwise than 7 bits. `inOrder` and `divide` are constants, and so is
 * `rowwise` where nothing is divided: it only decides what is loaded before the loop.
 */
@inline function quantizeHalf(
  x: i32, target: i32, columns: i32, inOrder: bool, eightBits: bool, rowwise: bool, token: i32, divide: bool,
): v128 {
  const magic = constant(MAGIC);
  let i0: v128, i1: v128, i2: v128, i3: v128, z0: v128, z1: v128, z2: v128, z3: v128;
  // Magic's own bits go out with the zero point's addition; the relaxed kernels read 0..255 codes less 128, as int8.
  const bits = i32x4.splat(-MAGIC_BITS - (eightBits && ASC_FEATURE_RELAXED_SIMD ? SIGNED_CENTER : 0));
  if (rowwise) {
    const units = scratch + token + (divide ? SCRATCH_TOKEN_SCALE : SCRATCH_TOKEN_INVERSE);
    i0 = v128.load(units);
    i1 = v128.load(units, 16);
    i2 = v128.load(units, 32);
    i3 = v128.load(units, 48);
    z0 = i32x4.add(v128.load(scratch + token, SCRATCH_TOKEN_ZERO), bits);
    z1 = i32x4.add(v128.load(scratch + token, SCRATCH_TOKEN_ZERO + 16), bits);
    z2 = i32x4.add(v128.load(scratch + token, SCRATCH_TOKEN_ZERO + 32), bits);
    z3 = i32x4.add(v128.load(scratch + token, SCRATCH_TOKEN_ZERO + 48), bits);
  } else {
    i0 = i1 = i2 = i3 = f32x4.splat(divide ? scale : inverse);
    z0 = z1 = z2 = z3 = i32x4.add(i32x4.splat(zeroPoint), bits);
  }
  let seen = i8x16.splat(0);
  for (let k = 0; k < columns; k++) {
    const a = i32x4.add(f32x4.add(inUnits(v128.load(x), i0, divide), magic), z0);
    const b = i32x4.add(f32x4.add(inUnits(v128.load(x, 16), i1, divide), magic), z1);
    const c = i32x4.add(f32x4.add(inUnits(v128.load(x, 32), i2, divide), magic), z2);
    const d = i32x4.add(f32x4.add(inUnits(v128.load(x, 48), i3, divide), magic), z3);
    // Codes lie within -1..256 before the clamp, and quotients within int16, so their low halves are all of them.
    const low = inOrder ? i16x8.narrow_i32x4_s(a, b) : interleaved(a, b);
    const high = inOrder ? i16x8.narrow_i32x4_s(c, d) : interleaved(c, d);
    const codes = eightBits && ASC_FEATURE_RELAXED_SIMD ? i8x16.narrow_i16x8_s(low, high) : i8x16.narrow_i16x8_u(low, high);
    if (!inOrder && !eightBits) seen = v128.or(seen, codes);
    v128.store(target, codes);
    x += ROW_BYTES;
    target += CODE_ROW_BYTES;
  }
  return seen;
}

/**
 * Activations in units of their scales: `unit` is the inverse of a scale or, to `divide` by, the scale. Where the scale
 * is 0, quotients are infinities, and NaN for an activation 0, which onnxruntime takes for a number below every code.
 */
@inline function inUnits(x: v128, unit: v128, divide: bool): v128 {
  if (!divide) return f32x4.mul(x, unit);
  return f32x4.pmin(f32x4.splat(LARGEST_QUOTIENT), f32x4.pmax(f32x4.splat(-LARGEST_QUOTIENT), f32x4.div(x, unit)));
}

/** Eight tokens as int16 in the order 0 4 1 5 2 6 3 7: the kernels widen even and odd lanes, which are then 0..3 and 4..7. */
@inline function interleaved(a: v128, b: v128): v128 {
  return v128.shuffle<i16>(a, i32x4.shl(b, 16), 0, 9, 2, 11, 4, 13, 6, 15);
}

/** Each token's own range, scale and zero point into the thread's scratch. */
function chooseTokens(x: i32, columns: i32, vectors: i32): bool {
  for (let j = 0; j < vectors; j++) {
    let high = i32x4.splat(0);
    let low = i32x4.splat(NONE_BELOW);
    for (let p = x + (j << 4), end = p + columns * ROW_BYTES; p < end; p += ROW_BYTES) {
      const value = v128.load(p);
      high = i32x4.max_s(high, value);
      low = i32x4.max_u(low, value);
    }
    if (!chooseToken((j << 4), i32x4.extract_lane(high, 0), i32x4.extract_lane(low, 0))) return false;
    if (!chooseToken((j << 4) + 4, i32x4.extract_lane(high, 1), i32x4.extract_lane(low, 1))) return false;
    if (!chooseToken((j << 4) + 8, i32x4.extract_lane(high, 2), i32x4.extract_lane(low, 2))) return false;
    if (!chooseToken((j << 4) + 12, i32x4.extract_lane(high, 3), i32x4.extract_lane(low, 3))) return false;
  }
  return true;
}

function chooseToken(at: i32, high: i32, low: u32): bool {
  if (!choose(high, low)) return false;
  store<f32>(scratch + at, inverse, SCRATCH_TOKEN_INVERSE);
  store<f32>(scratch + at, scale, SCRATCH_TOKEN_SCALE);
  store<i32>(scratch + at, zeroPoint, SCRATCH_TOKEN_ZERO);
  return true;
}
