import { exponentials, keep, laneAt, sequenceAt } from './attention';
import {
  ABS_MASK, attentionScratch, constant, LOW_16, MAGIC, planContext, planHeads, planHidden, planMaxKeys, planQkv, planQueryScale, ROW,
} from './memory';

// Twin of src/reference/attention-int16.ts, which says what the codes are. The memory map is attention.ts's; what a code of each key is worth,
// f32 [keys], follows the values: half as large as float32 ones, they leave room.

const SCORE_CODE: f32 = 32000;
const VALUE_CODE: f32 = 16383;
const LARGEST_CODE: f32 = 32767;
const WHOLE: f32 = 131064;
const SMALLEST_NORM: f32 = 9.094947017729282e-13; // 2^-40

/** src/reference/attention-int16.ts for one head of one sequence. Gives false when an input is not finite. */
export function attendInt16(item: i32): bool {
  const sequence = sequenceAt(item);
  const first = load<i32>(sequence);
  const tokens = load<i32>(sequence, 4);
  const keys = load<i32>(sequence, 8);
  if (tokens == 0) return true;
  const hidden = planHidden();
  const size = hidden / planHeads();
  const feature = (item % planHeads()) * size;
  const qkv = planQkv() + feature * ROW;
  const kBuffer = qkv + hidden * ROW;
  const vBuffer = qkv + 2 * hidden * ROW;
  const halfSize = (size + 1) >> 1;
  const stride = ((planMaxKeys() + 7) & ~7) << 2;
  const scores = attentionScratch();
  const queries = scores + (planMaxKeys() + 8) * 32;
  const packedKeys = queries + halfSize * 32;
  const packedValues = packedKeys + halfSize * stride;
  // Four features of all pairs of keys.
  const four = ((keys + 3) & ~3) << 3;

  const keyUnits = packedValues + ((size + 3) >> 2) * four;
  let fault = packKeys(kBuffer, first, keys, size, packedKeys, keyUnits);
  const vMax = largest(vBuffer, first, keys, size);
  if (vMax >= 0x7f800000) return false;
  const vInverse = inverseOf(reinterpret<f32>(vMax), VALUE_CODE);
  packValues(vBuffer, first, keys, size, f32x4.splat(vInverse), packedValues, four);
  const valueScale = f32x4.splat(unitOf(vInverse));
  const whole = f32x4.splat(WHOLE - <f32>keys);

  for (let token = 0; token < tokens; token += 8) {
    const pair = token + 4 < tokens;
    const q0 = laneAt(qkv, 3 * hidden, first + token);
    const q1 = pair ? laneAt(qkv, 3 * hidden, first + token + 4) : q0;
    const norm0 = normOf(q0, size), norm1 = normOf(q1, size);
    fault = v128.or(fault, notFinite(norm0, tokens - token));
    fault = v128.or(fault, notFinite(norm1, tokens - token - 4));
    const n0 = codesOf(norm0), n1 = codesOf(norm1);
    for (let i = 0; i < size; i += 2) {
      const two = i + 1 < size;
      v128.store(queries + (i << 4), packPair(q0 + i * ROW, two, n0));
      v128.store(queries + (i << 4), packPair(q1 + i * ROW, two, n1), 16);
    }
    const u0 = f32x4.mul(unitsOf(norm0), f32x4.splat(planQueryScale()));
    const u1 = f32x4.mul(unitsOf(norm1), f32x4.splat(planQueryScale()));
    for (let k = 0; k < keys; k += 4) {
      scoreInt16(queries, packedKeys + k * (halfSize << 2), halfSize, scores + (k << 5), u0, u1, keyUnits + (k << 2));
    }
    exponentials(scores, keys);
    const sums = scores + (keys << 5);
    const sum0 = v128.load(sums), sum1 = v128.load(sums, 16);
    const inverse0 = f32x4.pmin(f32x4.div(whole, sum0), f32x4.splat(LARGEST_CODE));
    const inverse1 = f32x4.pmin(f32x4.div(whole, sum1), f32x4.splat(LARGEST_CODE));
    const scale0 = f32x4.div(valueScale, f32x4.mul(sum0, inverse0));
    const scale1 = f32x4.div(valueScale, f32x4.mul(sum1, inverse1));
    const pairs = packProbabilities(scores, keys, inverse0, inverse1);
    const c0 = laneAt(planContext() + feature * ROW, hidden, first + token);
    const c1 = pair ? laneAt(planContext() + feature * ROW, hidden, first + token + 4) : c0;
    for (let i = 0, v = packedValues; i < size; i += 4) {
      mixInt16(scores, pairs, v, min(4, size - i), c0 + i * ROW, c1 + i * ROW, scale0, scale1);
      v += four;
    }
  }
  return !v128.any_true(fault);
}

/** The bits of the largest magnitude of `count` lanes from `first` on, over `size` features. */
function largest(buffer: i32, first: i32, count: i32, size: i32): i32 {
  let most = i32x4.splat(0);
  const mask = constant(ABS_MASK);
  const features = 3 * planHidden();
  for (let lane = 0; lane < count; lane += 4) {
    const p = laneAt(buffer, features, first + lane);
    const end = p + size * ROW;
    let here = i32x4.splat(0);
    for (let q = p; q < end; q += ROW) here = i32x4.max_s(here, v128.and(v128.load(q), mask));
    // Lanes past the last key belong to masked tokens or padding.
    if (count - lane < 4) here = v128.and(here, i32x4.gt_s(i32x4.splat(count - lane), i32x4(0, 1, 2, 3)));
    most = i32x4.max_s(most, here);
  }
  return max(
    max(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
  );
}

/** The norms of four tokens. */
@inline function normOf(p: i32, size: i32): v128 {
  let square = f32x4.splat(0);
  for (const end = p + size * ROW; p < end; p += ROW) {
    const x = v128.load(p);
    square = f32x4.add(square, f32x4.mul(x, x));
  }
  return f32x4.sqrt(square);
}

/** What they are multiplied with to become codes: norms become SCORE_CODE, and 0 where squares of what counts may have lost bits. */
@inline function codesOf(norm: v128): v128 {
  return v128.and(f32x4.div(f32x4.splat(SCORE_CODE), norm), f32x4.ge(norm, f32x4.splat(SMALLEST_NORM)));
}

/** What a code is worth. */
@inline function unitsOf(norm: v128): v128 { return f32x4.mul(norm, f32x4.splat(<f32>1 / SCORE_CODE)); }

@inline function notFinite(norm: v128, count: i32): v128 {
  return v128.and(i32x4.ge_s(norm, i32x4.splat(0x7f800000)), i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3)));
}

@inline function inverseOf(value: f32, limit: f32): f32 {
  return value == 0 ? 0 : min<f32>(limit / value, f32.MAX_VALUE);
}

@inline function unitOf(codes: f32): f32 { return codes == 0 ? 0 : <f32>1 / codes; }

/** Two features of four lanes as int16 pairs, the first in the low half. Magic's low 16 bits are 0, so the code's own are the sum's. */
@inline function packPair(x: i32, two: bool, inverse: v128): v128 {
  const magic = constant(MAGIC);
  const low = v128.and(f32x4.add(f32x4.mul(v128.load(x), inverse), magic), constant(LOW_16));
  if (!two) return low;
  return v128.or(low, i32x4.shl(f32x4.add(f32x4.mul(v128.load(x, ROW), inverse), magic), 16));
}

/** Gives what is not 0 where a key is not finite. shapes: f32[size][32] from lane `first` on -> i16 pairs [keys / 4][size / 2][4], units f32[keys] */
function packKeys(buffer: i32, first: i32, keys: i32, size: i32, to: i32, units: i32): v128 {
  let fault = i32x4.splat(0);
  const features = 3 * planHidden();
  for (let k = 0; k < keys; k += 4) {
    let p = laneAt(buffer, features, first + k);
    const norm = normOf(p, size);
    fault = v128.or(fault, notFinite(norm, keys - k));
    v128.store(units + (k << 2), unitsOf(norm));
    const inverse = codesOf(norm);
    for (let i = 0; i < size; i += 2) {
      v128.store(to, packPair(p, i + 1 < size, inverse));
      p += 2 * ROW;
      to += 16;
    }
  }
  return fault;
}

/** Two pairs of keys at a time. shapes: f32[size][32] from lane `first` on -> i16 pairs [size / 4][keys / 2][4], four features in `four` bytes */
function packValues(buffer: i32, first: i32, keys: i32, size: i32, inverse: v128, to: i32, four: i32): void {
  const features = 3 * planHidden();
  for (let k = 0; k < keys; k += 4) {
    let p = laneAt(buffer, features, first + k);
    let q = to + (k << 3);
    for (let i = 0; i < size; i += 4) {
      const a = packKeyPairs(p, inverse);
      const b = i + 1 < size ? packKeyPairs(p + ROW, inverse) : a;
      const c = i + 2 < size ? packKeyPairs(p + 2 * ROW, inverse) : a;
      const d = i + 3 < size ? packKeyPairs(p + 3 * ROW, inverse) : a;
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      v128.store(q, v128.shuffle<i64>(ab, cd, 0, 2));
      v128.store(q, v128.shuffle<i64>(ab, cd, 1, 3), 16);
      p += 4 * ROW;
      q += four;
    }
  }
}

/** Four keys of a feature as two pairs in the first half of the vector. */
@inline function packKeyPairs(x: i32, inverse: v128): v128 {
  const codes = f32x4.add(f32x4.mul(v128.load(x), inverse), constant(MAGIC));
  return v128.shuffle<i16>(codes, codes, 0, 2, 4, 6, 0, 2, 4, 6);
}

/**
 * Four keys' scores; `u0`, `u1` and `units` are what a code of each query and key is worth.
 * shapes: queries i16 pairs [halfSize][8], keys i16 pairs [halfSize][4], units f32[4] -> scores f32[4][8]
 */
function scoreInt16(queries: i32, keys: i32, halfSize: i32, scores: i32, u0: v128, u1: v128, units: i32): void {
  let a0 = i32x4.splat(0);
  let a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  for (const end = queries + (halfSize << 5); queries < end; queries += 32) {
    const q0 = v128.load(queries);
    const q1 = v128.load(queries, 16);
    const ka = v128.load_splat<u32>(keys);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(q0, ka));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(q1, ka));
    const kb = v128.load_splat<u32>(keys, 4);
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(q0, kb));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(q1, kb));
    const kc = v128.load_splat<u32>(keys, 8);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(q0, kc));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(q1, kc));
    const kd = v128.load_splat<u32>(keys, 12);
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(q0, kd));
    d1 = i32x4.add(d1, i32x4.dot_i16x8_s(q1, kd));
    keys += 16;
  }
  const sa = v128.load_splat<u32>(units);
  v128.store(scores, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(a0), u0), sa));
  v128.store(scores, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(a1), u1), sa), 16);
  const sb = v128.load_splat<u32>(units, 4);
  v128.store(scores, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(b0), u0), sb), 32);
  v128.store(scores, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(b1), u1), sb), 48);
  const sc = v128.load_splat<u32>(units, 8);
  v128.store(scores, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(c0), u0), sc), 64);
  v128.store(scores, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(c1), u1), sc), 80);
  const sd = v128.load_splat<u32>(units, 12);
  v128.store(scores, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(d0), u0), sd), 96);
  v128.store(scores, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(d1), u1), sd), 112);
}

/** Probabilities as codes, two keys a pair, over the scores. Gives the number of pairs. shapes: f32[keys + 1][8] -> i16 pairs [keys / 2][8] */
function packProbabilities(scores: i32, keys: i32, inverse0: v128, inverse1: v128): i32 {
  const sums = scores + (keys << 5);
  if (keys & 1) {
    v128.store(sums, f32x4.splat(0));
    v128.store(sums, f32x4.splat(0), 16);
  }
  const pairs = (keys + 1) >> 1;
  const magic = constant(MAGIC);
  const mask = constant(LOW_16);
  let to = scores;
  for (let p = scores, end = scores + (pairs << 6); p < end; p += 64) {
    const a0 = v128.and(f32x4.add(f32x4.mul(v128.load(p), inverse0), magic), mask);
    const a1 = v128.and(f32x4.add(f32x4.mul(v128.load(p, 16), inverse1), magic), mask);
    const b0 = i32x4.shl(f32x4.add(f32x4.mul(v128.load(p, 32), inverse0), magic), 16);
    const b1 = i32x4.shl(f32x4.add(f32x4.mul(v128.load(p, 48), inverse1), magic), 16);
    v128.store(to, v128.or(a0, b0));
    v128.store(to, v128.or(a1, b1), 16);
    to += 32;
  }
  return pairs;
}

/** Four features of the context, of which `count` are wanted. shapes: p i16 pairs [pairs][8], values i16 pairs [pairs][4] */
function mixInt16(p: i32, pairs: i32, values: i32, count: i32, to0: i32, to1: i32, scale0: v128, scale1: v128): void {
  let a0 = i32x4.splat(0);
  let a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
  for (const end = p + (pairs << 5); p < end; p += 32) {
    const p0 = v128.load(p);
    const p1 = v128.load(p, 16);
    const va = v128.load_splat<u32>(values);
    a0 = i32x4.add(a0, i32x4.dot_i16x8_s(p0, va));
    a1 = i32x4.add(a1, i32x4.dot_i16x8_s(p1, va));
    const vb = v128.load_splat<u32>(values, 4);
    b0 = i32x4.add(b0, i32x4.dot_i16x8_s(p0, vb));
    b1 = i32x4.add(b1, i32x4.dot_i16x8_s(p1, vb));
    const vc = v128.load_splat<u32>(values, 8);
    c0 = i32x4.add(c0, i32x4.dot_i16x8_s(p0, vc));
    c1 = i32x4.add(c1, i32x4.dot_i16x8_s(p1, vc));
    const vd = v128.load_splat<u32>(values, 12);
    d0 = i32x4.add(d0, i32x4.dot_i16x8_s(p0, vd));
    d1 = i32x4.add(d1, i32x4.dot_i16x8_s(p1, vd));
    values += 16;
  }
  keepScaled(a0, a1, scale0, scale1, to0, to1);
  if (count > 1) keepScaled(b0, b1, scale0, scale1, to0 + ROW, to1 + ROW);
  if (count > 2) keepScaled(c0, c1, scale0, scale1, to0 + 2 * ROW, to1 + 2 * ROW);
  if (count > 3) keepScaled(d0, d1, scale0, scale1, to0 + 3 * ROW, to1 + 3 * ROW);
}

@inline function keepScaled(a0: v128, a1: v128, scale0: v128, scale1: v128, to0: i32, to1: i32): void {
  keep(f32x4.mul(f32x4.convert_i32x4_s(a0), scale0), f32x4.mul(f32x4.convert_i32x4_s(a1), scale1), to0, to1);
}
