import {
  ABS_MASK, ACTIVATION_GELU, ACTIVATION_GELU_NEW, CACHE_LINE_BYTES, CHUNK, CODE_ROW_BYTES, FLOAT64_HIGH, FLOAT64_OFFSET, FLOAT_ROW_HEADER_BYTES,
  FLOAT_WEIGHT_BYTES, FLOAT_WEIGHT_VALUE, floatRowHeaderCount, floatWeightOffset, GELU_P, HALF, LINEAR_KIND_INT8, linearBias, linearBlockColumns,
  linearBlocks, linearChunkRows, linearChunks, linearKind, linearRows, linearSmallSums, linearStarts, ONE, planActivation, planProfile, planRowwise,
  PROFILE_FBGEMM, PROFILE_ONNXRUNTIME, PROFILE_QNNPACK, ROW_BYTES, rowHeaderBias, rowHeaderRow, rowHeaderScale, rowHeaderSum,
  SCRATCH_HEADERS, SCRATCH_ROW_RESULTS, SCRATCH_TOKEN_SCALE, SCRATCH_TOKEN_ZERO,
} from './generated/layout';
import { geluBase, geluNew, geluOf, relu } from './math';
import { constant, constant64, quantizedTile, readsQuads, roundsOnce, scratch, step, storePair } from './memory';
import { center, edge, scale, zeroPoint } from './quantize';
import { rangeHigh, rangeLow, setRange } from './range';
import { multiplyAdd, resultRowsOf, SIGN, sumRowsOf } from './sparse';

/** What becomes of a row's results: stored; added to the row at `residual` and stored; through the activation, its range kept. */
export const STORE: i32 = 0;
export const ADD: i32 = 1;
export const ACTIVATE: i32 = 2;

/**
 * Chunks [chunk, end) of a Linear for one tile. An int8 one reads the quantized tile, a float one `x`. `vectors` of 4 lanes are computed.
 * shapes: x f32[columns][32] -> out f32[rows][32]
 */
export function linearTile(
  linear: i32, x: i32, vectors: i32, chunk: i32, end: i32, out: i32, residual: i32, then: i32,
): void {
  const chunkRows = linearChunkRows(linear);
  const first = chunk * chunkRows;
  const rows = min(end * chunkRows, linearRows(linear)) - first;
  if (rows <= 0) return;
  if (linearKind(linear) == LINEAR_KIND_INT8) {
    int8Rows(linear, vectors, chunk, rows, out, residual, then);
    return;
  }
  let p = load<i32>(linearStarts(linear) + (chunk << 2));
  for (let row = first; row < first + rows; row++) {
    step();
    p = floatRow(p, x, vectors, load<f32>(linearBias(linear) + (row << 2)), out + row * ROW_BYTES);
    finish(vectors, out + row * ROW_BYTES, residual + row * ROW_BYTES, then);
  }
}

/**
 * Sums, of all blocks, gather where the results will be: a row has the bytes for either. A few rows at a time are done while they are in the L1.
 * Where multiply-add is fused, most results are made before their sums have left the registers.
 */
function int8Rows(linear: i32, vectors: i32, chunk: i32, rows: i32, out: i32, residual: i32, then: i32): void {
  const plain = edge;
  const split = planProfile() != PROFILE_FBGEMM && !readsQuads();
  const blocks = linearBlocks(linear);
  const blockBytes = linearBlockColumns(linear) * CODE_ROW_BYTES;
  const begin = roundsOnce() ? 0 : SIGN;
  const direct = roundsOnce() && !planRowwise() && !roundsTwice() && !split && !plain && vectors > 4;
  const shift = planRowwise() ? 0 : center - zeroPoint;
  const headers = scratch + SCRATCH_HEADERS;
  const first = chunk * linearChunkRows(linear) * ROW_BYTES;
  for (let block = 0; block < blocks; block++) {
    if (blocks > 1 && block == 0) touch(out + first, rows * ROW_BYTES);
    if (then == ADD && block == blocks - 1) touch(residual + first, rows * ROW_BYTES);
    let p = load<i32>(linearStarts(linear) + ((block * linearChunks(linear) + chunk) << 2));
    const tile = quantizedTile() + block * blockBytes;
    const last = block == blocks - 1;
    for (let done = 0; done < rows; done += CHUNK) {
      const count = min(CHUNK, rows - done);
      step();
      if (!last || !direct) {
        p = sumRowsOf(plain, split, vectors, p, tile, out, count, block == 0, begin, shift, headers);
        if (last) finishSums(linear, headers, count, vectors, out, residual, then);
      } else {
        p = resultRowsOf(then == ADD, p, tile, out, count, block == 0, begin, shift, headers, residual);
        if (then != ACTIVATE) continue;
        for (let i = 0; i < count; i++) finish(vectors, out + rowAt(headers, i), 0, then);
      }
    }
  }
}

/**
 * Reads memory in its order, so that it is in the cache when rows come in the stream's: in a large batch it is far away, and the processor
 * only foresees what is read in order.
 */
function touch(from: i32, bytes: i32): void {
  let any: i32 = 0;
  for (const end = from + bytes; from < end; from += CACHE_LINE_BYTES) any |= load<i32>(from);
  // So that the reading is not left out.
  store<i32>(scratch, any, SCRATCH_ROW_RESULTS);
}

/** The offset of the `index`th row of those whose headers these are. */
@inline function rowAt(headers: i32, index: i32): i32 { return rowHeaderRow(load<i32>(headers + (index << 2))) * ROW_BYTES; }

/** Whether the profile rounds the product of the last line, and then its sum with the bias. */
@inline function roundsTwice(): bool { return planProfile() == PROFILE_QNNPACK || planProfile() == PROFILE_ONNXRUNTIME; }

/** Rows of sums to what becomes of their results. */
function finishSums(linear: i32, headers: i32, count: i32, vectors: i32, out: i32, residual: i32, then: i32): void {
  const simple = !roundsOnce() && !planRowwise() && !roundsTwice() && linearSmallSums(linear);
  for (let i = 0; i < count; i++) {
    const header = load<i32>(headers + (i << 2));
    const row = rowAt(headers, i);
    if (!simple || !isExact(scale * rowHeaderScale(header), rowHeaderBias(header))) scaleRow(header, vectors, out + row);
    else if (then == ADD) {
      scaleSmall(header, vectors, out + row, residual + row, true);
      continue;
    } else scaleSmall(header, vectors, out + row, 0, false);
    finish(vectors, out + row, residual + row, then);
  }
}

/**
 * Whether float64 holds `acc * factor + bias` exactly for every integer up to 2^24, so that narrowing it is the only rounding. Both terms are
 * multiples of the smaller one's last bit, and their sum is below 2^26 times the factor's first bit or four times the bias's: with the bias's
 * first bit 28 places above the factor's to 4 below it, 53 bits or fewer lie between.
 */
function isExact(factor: f32, bias: f32): bool {
  const above = ((reinterpret<i32>(bias) >>> 23) & 255) - ((reinterpret<i32>(factor) >>> 23) & 255);
  return bias == 0 || (above >= -4 && above <= 28);
}

/**
 * A row's results in place of its sums: packages/quant's dynamicLinear from `acc` on, where sums are small, so that they need no rounding to
 * float32 first. They are 2^31 more than they should: then, below 0x43300000 as the high half, they are the bits of a float64, 2^52 + 2^31 + sum.
 */
@inline function scaleSmall(header: i32, vectors: i32, to: i32, other: i32, add: bool): void {
  const factor = f64x2.splat(scale * rowHeaderScale(header));
  const bias = f64x2.splat(rowHeaderBias(header));
  const high = constant(FLOAT64_HIGH);
  const offset = constant64(FLOAT64_OFFSET);
  for (const end = to + (vectors << 4); to < end; to += 16) {
    const sums = v128.load(to);
    const a = f64x2.sub(v128.shuffle<i32>(sums, high, 0, 4, 1, 5), offset);
    const b = f64x2.sub(v128.shuffle<i32>(sums, high, 2, 6, 3, 7), offset);
    const y = joined(f64x2.add(f64x2.mul(a, factor), bias), f64x2.add(f64x2.mul(b, factor), bias));
    if (add) {
      v128.store(to, f32x4.add(y, v128.load(other)));
      other += 16;
    } else v128.store(to, y);
  }
}

/** The same for every other case: multiply-add fused, per token, two roundings, large sums, a bias that float64 does not hold beside them. */
function scaleRow(header: i32, vectors: i32, to: i32): void {
  const sum = rowHeaderSum(header);
  const weightScale = rowHeaderScale(header);
  const bias = rowHeaderBias(header);
  const rowwise = planRowwise();
  const twice = roundsTwice();
  const begin = i32x4.splat(roundsOnce() ? 0 : SIGN);
  for (let j = 0; j < vectors << 4; j += 16) {
    let acc = v128.xor(v128.load(to + j), begin);
    let factors = f32x4.splat(scale);
    if (rowwise) {
      const zero = i32x4.sub(i32x4.splat(center), v128.load(scratch + j, SCRATCH_TOKEN_ZERO));
      acc = i32x4.add(acc, i32x4.mul(zero, i32x4.splat(sum)));
      factors = v128.load(scratch + j, SCRATCH_TOKEN_SCALE);
    }
    acc = f32x4.convert_i32x4_s(acc);
    factors = f32x4.mul(factors, f32x4.splat(weightScale));
    let y: v128;
    if (twice) y = f32x4.add(f32x4.mul(acc, factors), f32x4.splat(bias));
    else if (roundsOnce()) y = multiplyAdd(acc, factors, f32x4.splat(bias));
    else y = oneRounding(acc, factors, bias);
    v128.store(to + j, y);
  }
}

/**
 * Four `acc * factor + bias` of one rounding. A float32 product is exact in float64; its sum with the bias is rounded, and narrowed to
 * float32 it is rounded again: that is another number at most where the first rounding ends half-way between two of float32.
 */
function oneRounding(acc: v128, factors: v128, bias: f32): v128 {
  const biases = f64x2.splat(bias);
  const low = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(acc), f64x2.promote_low_f32x4(factors)), biases);
  const high = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(upper(acc)), f64x2.promote_low_f32x4(upper(factors))), biases);
  const y = joined(low, high);
  // The 29 bits that float32 does not have.
  const rest = i32x4.shl(v128.shuffle<i32>(low, high, 0, 2, 4, 6), 3);
  if (!v128.any_true(i32x4.eq(rest, i32x4.splat(SIGN)))) return y;
  return f32x4(
    roundedOnce(f32x4.extract_lane(acc, 0), f32x4.extract_lane(factors, 0), bias),
    roundedOnce(f32x4.extract_lane(acc, 1), f32x4.extract_lane(factors, 1), bias),
    roundedOnce(f32x4.extract_lane(acc, 2), f32x4.extract_lane(factors, 2), bias),
    roundedOnce(f32x4.extract_lane(acc, 3), f32x4.extract_lane(factors, 3), bias),
  );
}

/** fusedMultiplyAdd of packages/quant. */
function roundedOnce(a: f32, b: f32, c: f32): f32 {
  const product = <f64>a * <f64>b;
  const addend: f64 = c;
  let sum = product + addend;
  const taken = sum - product;
  const error = product - (sum - taken) + (addend - taken);
  const bits = reinterpret<i64>(sum);
  if (error != 0 && (bits & 1) == 0) sum = reinterpret<f64>(bits + (error > 0 == sum > 0 ? 1 : -1));
  return <f32>sum;
}

@inline function upper(v: v128): v128 { return v128.shuffle<i32>(v, v, 2, 3, 2, 3); }

@inline function joined(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** A row of a float Linear: the nonzero weights in ascending order of columns, as src/reference/linear.ts sums them. */
function floatRow(p: i32, x: i32, vectors: i32, bias: f32, out: i32): i32 {
  const begin = p + FLOAT_ROW_HEADER_BYTES;
  const end = begin + floatRowHeaderCount(p) * FLOAT_WEIGHT_BYTES;
  const biases = f32x4.splat(bias);
  for (let half = 0; half < vectors; half += 4) {
    const from = x + (half << 4);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (let q = begin; q < end; q += FLOAT_WEIGHT_BYTES) {
      const at = from + floatWeightOffset(q);
      const w = v128.load_splat<u32>(q, FLOAT_WEIGHT_VALUE);
      a = f32x4.add(a, f32x4.mul(w, v128.load(at)));
      b = f32x4.add(b, f32x4.mul(w, v128.load(at, 16)));
      c = f32x4.add(c, f32x4.mul(w, v128.load(at, 32)));
      d = f32x4.add(d, f32x4.mul(w, v128.load(at, 48)));
    }
    const to = out + (half << 4);
    v128.store(to, f32x4.add(a, biases));
    v128.store(to, f32x4.add(b, biases), 16);
    v128.store(to, f32x4.add(c, biases), 32);
    v128.store(to, f32x4.add(d, biases), 48);
  }
  return end;
}

/** What becomes of a row's results, in place. */
function finish(vectors: i32, to: i32, other: i32, then: i32): void {
  const end = to + (vectors << 4);
  if (then == ADD) {
    for (; to < end; to += 16) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(other)));
      other += 16;
    }
  } else if (then == ACTIVATE) {
    if (planActivation() == ACTIVATION_GELU) geluRow(to, end);
    else activateRow(to, end, planActivation() == ACTIVATION_GELU_NEW);
  }
}

/**
 * In two passes, because the processor looks only so far ahead: the short chains of operations of many vectors overlap, a long one's do not.
 * The constants stay in registers.
 */
function geluRow(to: i32, end: i32): void {
  const p1 = constant(GELU_P), p2 = constant(GELU_P + 1), p3 = constant(GELU_P + 2);
  const p4 = constant(GELU_P + 3), p5 = constant(GELU_P + 4), p6 = constant(GELU_P + 5);
  const one = constant(ONE), half = constant(HALF), mask = constant(ABS_MASK);
  let base = scratch + SCRATCH_ROW_RESULTS;
  // An odd vector's neighbour holds anything, and has the room to.
  for (let p = to; p < end; p += 32) {
    const x0 = v128.load(p), x1 = v128.load(p, 16);
    storePair(base, geluBase(x0, p1, p2, p3, p4, p5, p6, one, mask), geluBase(x1, p1, p2, p3, p4, p5, p6, one, mask));
    base += 32;
  }
  base = scratch + SCRATCH_ROW_RESULTS;
  let high0 = rangeHigh(0), high1 = rangeHigh(1), low0 = rangeLow(0), low1 = rangeLow(1);
  for (; to + 16 < end; to += 32) {
    const y0 = geluOf(v128.load(to), v128.load(base), half, mask);
    const y1 = geluOf(v128.load(to, 16), v128.load(base, 16), half, mask);
    base += 32;
    high0 = i32x4.max_s(high0, y0);
    high1 = i32x4.max_s(high1, y1);
    low0 = i32x4.max_u(low0, y0);
    low1 = i32x4.max_u(low1, y1);
    storePair(to, y0, y1);
  }
  if (to < end) {
    const y = geluOf(v128.load(to), v128.load(base), half, mask);
    high0 = i32x4.max_s(high0, y);
    low0 = i32x4.max_u(low0, y);
    v128.store(to, y);
  }
  setRange(high0, high1, low0, low1);
}

function activateRow(to: i32, end: i32, tanh: bool): void {
  let high = rangeHigh(0);
  let low = rangeLow(0);
  for (; to < end; to += 16) {
    const x = v128.load(to);
    const y = tanh ? geluNew(x) : relu(x);
    high = i32x4.max_s(high, y);
    low = i32x4.max_u(low, y);
    v128.store(to, y);
  }
  setRange(high, rangeHigh(1), low, rangeLow(1));
}
