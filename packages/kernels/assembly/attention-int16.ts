import { BLOCK, exponentials, firstOf, headSize, keep, keyStride, laneAt, layerHeads, secondOf, sequenceAt } from './attention';
import {
  ABS_MASK, LOW16, MAGIC, ONE, planContext, planHidden, planMaxKeys, planQkv, planQueryScale, QUERY_BLOCK, ROW_BYTES,
  sequenceFirstLane, sequenceKeys, sequenceTokens, SPARE_SCORE_ROWS,
} from './generated/layout';
import { attentionScratch, constant, step, storeBlock } from './memory';
import { productsInt16 } from './products';
import { INFINITY_BITS } from './range';

// Twin of src/reference/attention-int16.ts, which says what the codes are. Sums of products are of integers and exact,
// so their order is free. Two sums are of float32 and have the order of the reference: the squares of a norm in normOf
// below, and the exponentials in exponentialsOf of attention.ts.

const SCORE_CODE: f32 = 32000;
const VALUE_CODE: f32 = 16383;
const LARGEST_CODE: f32 = 32767;
const WHOLE: f32 = 131064;
const SMALLEST_NORM: f32 = 9.094947017729282e-13; // 2^-40

/** src/reference/attention-int16.ts for one head of one sequence. Gives false when an input is not finite. */
export function attendInt16(item: i32): bool {
  const sequence = sequenceAt(item);
  const first = sequenceFirstLane(sequence);
  const tokens = sequenceTokens(sequence);
  const keys = sequenceKeys(sequence);
  if (tokens == 0) return true;
  const hidden = planHidden();
  const size = headSize();
  const feature = (item % layerHeads) * size;
  const qkv = planQkv() + feature * ROW_BYTES;
  const kBuffer = qkv + hidden * ROW_BYTES;
  const vBuffer = qkv + 2 * hidden * ROW_BYTES;
  const halfSize = (size + 1) >> 1;
  const stride = keyStride();
  const scores = attentionScratch();
  const queries = scores + (planMaxKeys() + SPARE_SCORE_ROWS) * (BLOCK << 2);
  const packedKeys = queries + halfSize * (BLOCK << 2);
  const packedValues = packedKeys + halfSize * stride;
  // Four features of all pairs of keys.
  const four = ((keys + 3) & ~3) << 3;

  const keyUnits = packedValues + ((size + 3) >> 2) * four;
  let fault = packKeys(kBuffer, first, keys, size, packedKeys, keyUnits);
  const vMax = largest(vBuffer, first, keys, size);
  if (vMax >= INFINITY_BITS) return false;
  const vInverse = inverseOf(reinterpret<f32>(vMax), VALUE_CODE);
  packValues(vBuffer, first, keys, size, f32x4.splat(vInverse), packedValues, four);
  const valueScale = f32x4.splat(unitOf(vInverse));

  const context = planContext() + feature * ROW_BYTES;
  for (let token = 0; token < tokens; token += BLOCK) {
    step();
    const left = tokens - token;
    const wrong = WIDE && left > QUERY_BLOCK
      ? attendBlock(4, qkv, first + token, left, keys, size, scores, queries, packedKeys, packedValues, four, keyUnits, valueScale, context)
      : attendBlock(2, qkv, first + token, left, keys, size, scores, queries, packedKeys, packedValues, four, keyUnits, valueScale, context);
    fault = v128.or(fault, wrong);
  }
  return !v128.any_true(fault);
}

/** Gives what is not 0 where a query is not finite. */
@inline function attendBlock(
  vectors: i32, qkv: i32, lane: i32, left: i32, keys: i32, size: i32, scores: i32, queries: i32, packedKeys: i32, packedValues: i32, four: i32,
  keyUnits: i32, valueScale: v128, context: i32,
): v128 {
  const row = vectors << 4;
  const halfSize = (size + 1) >> 1;
  const queryUnits = queries - row;
  let fault = i32x4.splat(0);
  const scale = f32x4.splat(planQueryScale());
  for (let v = 0; v < vectors; v += 2) {
    const q0 = firstOf(qkv, 3 * planHidden(), lane, v), q1 = secondOf(qkv, 3 * planHidden(), lane, v, left);
    const norm0 = normOf(q0, size), norm1 = normOf(q1, size);
    fault = v128.or(fault, v128.or(notFinite(norm0, left - (v << 2)), notFinite(norm1, left - (v << 2) - 4)));
    v128.store(queryUnits + (v << 4), f32x4.mul(unitsOf(norm1), scale), 16);
    v128.store(queryUnits + (v << 4), f32x4.mul(unitsOf(norm0), scale));
    const n0 = codesOf(norm0), n1 = codesOf(norm1);
    let to = queries + (v << 4);
    for (let i = 0; i < size; i += 2) {
      const two = i + 1 < size;
      v128.store(to, packPair(q1 + i * ROW_BYTES, two, n1), 16);
      v128.store(to, packPair(q0 + i * ROW_BYTES, two, n0));
      to += row;
    }
  }
  for (let k = 0; k < keys; k += 4) {
    productsInt16(vectors, queries, halfSize, packedKeys + k * (halfSize << 2), scores + k * row, queryUnits, keyUnits + (k << 2));
  }
  exponentials(vectors, scores, keys);
  // After the sums, whose place an odd key's second half may need.
  const sums = scores + keys * row, scales = sums + row, inverses = scales + row, results = scales + row;
  const whole = f32x4.splat(WHOLE - <f32>keys), limit = f32x4.splat(LARGEST_CODE);
  for (let v = 0; v < row; v += 16) {
    const sum = v128.load(sums + v);
    const inverse = f32x4.pmin(f32x4.div(whole, sum), limit);
    v128.store(inverses + v, inverse);
    v128.store(scales + v, f32x4.div(valueScale, f32x4.mul(sum, inverse)));
  }
  if (keys & 1) for (let v = 0; v < row; v += 16) v128.store(sums + v, f32x4.splat(0));
  const pairs = (keys + 1) >> 1;
  packProbabilities(vectors, scores, pairs, inverses);
  for (let i = 0, v = packedValues; i < size; i += 4) {
    productsInt16(vectors, scores, pairs, v, results, scales, ONE << 4);
    keep(vectors, results, 0, min(4, size - i), context + i * ROW_BYTES, lane, left);
    v += four;
  }
  return fault;
}

/** The bits of the largest magnitude of `count` lanes from `first` on, over `size` features. */
function largest(buffer: i32, first: i32, count: i32, size: i32): i32 {
  let most = i32x4.splat(0);
  const mask = constant(ABS_MASK);
  const features = 3 * planHidden();
  for (let lane = 0; lane < count; lane += 4) {
    const p = laneAt(buffer, features, first + lane);
    const end = p + size * ROW_BYTES;
    let here = i32x4.splat(0);
    for (let q = p; q < end; q += ROW_BYTES) here = i32x4.max_s(here, v128.and(v128.load(q), mask));
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
  for (const end = p + size * ROW_BYTES; p < end; p += ROW_BYTES) {
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
  return v128.and(i32x4.ge_s(norm, i32x4.splat(INFINITY_BITS)), i32x4.gt_s(i32x4.splat(count), i32x4(0, 1, 2, 3)));
}

@inline function inverseOf(value: f32, limit: f32): f32 {
  return value == 0 ? 0 : min<f32>(limit / value, f32.MAX_VALUE);
}

@inline function unitOf(codes: f32): f32 { return codes == 0 ? 0 : <f32>1 / codes; }

/** Two features of four lanes as int16 pairs, the first in the low half. Magic's low 16 bits are 0, so the code's own are the sum's. */
@inline function packPair(x: i32, two: bool, inverse: v128): v128 {
  const magic = constant(MAGIC);
  const low = v128.and(f32x4.add(f32x4.mul(v128.load(x), inverse), magic), constant(LOW16));
  if (!two) return low;
  return v128.or(low, i32x4.shl(f32x4.add(f32x4.mul(v128.load(x, ROW_BYTES), inverse), magic), 16));
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
      p += 2 * ROW_BYTES;
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
      const b = i + 1 < size ? packKeyPairs(p + ROW_BYTES, inverse) : a;
      const c = i + 2 < size ? packKeyPairs(p + 2 * ROW_BYTES, inverse) : a;
      const d = i + 3 < size ? packKeyPairs(p + 3 * ROW_BYTES, inverse) : a;
      const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5), cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
      v128.store(q, v128.shuffle<i64>(ab, cd, 0, 2));
      v128.store(q, v128.shuffle<i64>(ab, cd, 1, 3), 16);
      p += 4 * ROW_BYTES;
      q += four;
    }
  }
}

/** Four keys of a feature as two pairs in the first half of the vector. */
@inline function packKeyPairs(x: i32, inverse: v128): v128 {
  const codes = f32x4.add(f32x4.mul(v128.load(x), inverse), constant(MAGIC));
  return v128.shuffle<i16>(codes, codes, 0, 2, 4, 6, 0, 2, 4, 6);
}

/** Probabilities as codes, two keys a pair, over the scores. shapes: f32[2 pairs][block], inverses f32[block] -> i16 pairs [pairs][block] */
@inline function packProbabilities(vectors: i32, scores: i32, pairs: i32, inverses: i32): void {
  const row = vectors << 4;
  const i0 = v128.load(inverses), i1 = v128.load(inverses, 16);
  const i2 = vectors > 2 ? v128.load(inverses, 32) : i0, i3 = vectors > 2 ? v128.load(inverses, 48) : i0;
  let to = scores;
  for (let p = scores, end = scores + 2 * pairs * row; p < end; p += 2 * row) {
    const q = p + row;
    const a = codePair(v128.load(p), v128.load(q), i0), b = codePair(v128.load(p, 16), v128.load(q, 16), i1);
    const c = vectors > 2 ? codePair(v128.load(p, 32), v128.load(q, 32), i2) : a;
    const d = vectors > 2 ? codePair(v128.load(p, 48), v128.load(q, 48), i3) : a;
    storeBlock(vectors, to, a, b, c, d);
    to += row;
  }
}

@inline function codePair(x: v128, y: v128, inverse: v128): v128 {
  const magic = constant(MAGIC);
  const first = v128.and(f32x4.add(f32x4.mul(x, inverse), magic), constant(LOW16));
  return v128.or(first, i32x4.shl(f32x4.add(f32x4.mul(y, inverse), magic), 16));
}
