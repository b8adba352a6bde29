import {
  ABS_MASK, CHUNK, constant, FLOAT64_HIGH, FLOAT64_OFFSET, GELU_P, HALF, HEADERS, LANES, linearBias, linearBlockColumns, linearBlocks,
  linearChunkRows, linearChunks, linearKind, linearRows, linearSmallSums, linearStarts, ONE, planActivation, planProfile, planRowwise,
  quantizedTile, ROW, ROW_RESULTS, scratch, TOKEN_SCALE, TOKEN_ZERO,
} from './memory';
import { geluBase, geluNew, geluOf, relu } from './math';
import { center, edge, scale, zeroPoint } from './quantize';
import { rangeHigh, rangeLow, setRange } from './range';
import { SIGN, sumRowsOf } from './sparse';

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
  if (linearKind(linear) == 0) {
    int8Rows(linear, vectors, chunk, rows, out, residual, then);
    return;
  }
  let p = load<i32>(linearStarts(linear) + (chunk << 2));
  for (let row = first; row < first + rows; row++) {
    p = floatRow(p, x, vectors, load<f32>(linearBias(linear) + (row << 2)), out + row * ROW);
    finish(vectors, out + row * ROW, residual + row * ROW, then);
  }
}

/** Sums, of all blocks, gather where the results will be: a row has the bytes for either. A few rows at a time are done while they are in the L1. */
function int8Rows(linear: i32, vectors: i32, chunk: i32, rows: i32, out: i32, residual: i32, then: i32): void {
  const plain = edge;
  const split = planProfile() != 0;
  const blocks = linearBlocks(linear);
  const blockBytes = linearBlockColumns(linear) * LANES;
  const simple = !planRowwise() && planProfile() != 2 && linearSmallSums(linear);
  const shift = planRowwise() ? 0 : center - zeroPoint;
  for (let block = 0; block < blocks; block++) {
    let p = load<i32>(linearStarts(linear) + ((block * linearChunks(linear) + chunk) << 2));
    const tile = quantizedTile() + block * blockBytes;
    for (let done = 0; done < rows; done += CHUNK) {
      const count = min(CHUNK, rows - done);
      p = sumRowsOf(plain, split, vectors, p, tile, out, count, block == 0, shift, scratch + HEADERS);
      if (block < blocks - 1) continue;
      for (let i = 0; i < count; i++) {
        const header = load<i32>(scratch + (i << 2), HEADERS);
        const row = load<i32>(header) * ROW;
        if (!simple) scaleRow(header, vectors, out + row);
        else if (then == ADD) {
          scaleSmall(header, vectors, out + row, residual + row, true);
          continue;
        } else scaleSmall(header, vectors, out + row, 0, false);
        finish(vectors, out + row, residual + row, then);
      }
    }
  }
}

/**
 * A row's results in place of its sums: packages/quant's dynamicLinear from `acc` on, where sums are small, so that they need no rounding to
 * float32 first. They are 2^31 more than they should: then, below 0x43300000 as the high half, they are the bits of a float64, 2^52 + 2^31 + sum.
 */
@inline function scaleSmall(header: i32, vectors: i32, to: i32, other: i32, add: bool): void {
  const factor = f64x2.splat(scale * load<f32>(header, 8));
  const bias = f64x2.splat(load<f32>(header, 12));
  const high = constant(FLOAT64_HIGH);
  const offset = constant(FLOAT64_OFFSET);
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

/** The same for every other case: per token, two roundings, large sums. */
function scaleRow(header: i32, vectors: i32, to: i32): void {
  const sum = load<i32>(header, 4);
  const weightScale = load<f32>(header, 8);
  const bias = load<f32>(header, 12);
  const two = planProfile() == 2;
  const rowwise = planRowwise() != 0;
  const sign = i32x4.splat(SIGN);
  for (let j = 0; j < vectors << 4; j += 16) {
    let acc = v128.xor(v128.load(to + j), sign);
    let factors = f32x4.splat(scale);
    if (rowwise) {
      const zero = i32x4.sub(i32x4.splat(center), v128.load(scratch + j, TOKEN_ZERO));
      acc = i32x4.add(acc, i32x4.mul(zero, i32x4.splat(sum)));
      factors = v128.load(scratch + j, TOKEN_SCALE);
    }
    factors = f32x4.mul(factors, f32x4.splat(weightScale));
    v128.store(to + j, two ? twoRoundings(acc, factors, f32x4.splat(bias)) : oneRounding(acc, factors, f64x2.splat(bias)));
  }
}

// A float32 product is exact in float64, so the sum and the narrowing are the only roundings.
@inline function oneRounding(acc: v128, factors: v128, bias: v128): v128 {
  const sums = f32x4.convert_i32x4_s(acc);
  const low = f64x2.mul(f64x2.promote_low_f32x4(sums), f64x2.promote_low_f32x4(factors));
  const high = f64x2.mul(f64x2.promote_low_f32x4(upper(sums)), f64x2.promote_low_f32x4(upper(factors)));
  return joined(f64x2.add(low, bias), f64x2.add(high, bias));
}

@inline function twoRoundings(acc: v128, factor: v128, bias: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(acc), factor), bias);
}

@inline function upper(v: v128): v128 { return v128.shuffle<i32>(v, v, 2, 3, 2, 3); }

@inline function joined(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** A float Linear's row: its stream is uint32 nonzeros, then uint32 offset (column * 128) and float32 weight each. */
function floatRow(p: i32, x: i32, vectors: i32, bias: f32, out: i32): i32 {
  const begin = p + 4;
  const end = begin + (load<i32>(p) << 3);
  const biases = f32x4.splat(bias);
  for (let half = 0; half < vectors; half += 4) {
    const from = x + (half << 4);
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    for (let q = begin; q < end; q += 8) {
      const at = from + load<i32>(q);
      const w = v128.load_splat<u32>(q, 4);
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
    if (planActivation() == 0) geluRow(to, end);
    else activateRow(to, end, planActivation() == 1);
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
  let base = scratch + ROW_RESULTS;
  for (let p = to; p < end; p += 16) {
    v128.store(base, geluBase(v128.load(p), p1, p2, p3, p4, p5, p6, one, mask));
    base += 16;
  }
  base = scratch + ROW_RESULTS;
  let high = rangeHigh();
  let low = rangeLow();
  for (; to < end; to += 16) {
    const y = geluOf(v128.load(to), v128.load(base), half, mask);
    base += 16;
    high = i32x4.max_s(high, y);
    low = i32x4.max_u(low, y);
    v128.store(to, y);
  }
  setRange(high, low);
}

function activateRow(to: i32, end: i32, tanh: bool): void {
  let high = rangeHigh();
  let low = rangeLow();
  for (; to < end; to += 16) {
    const x = v128.load(to);
    const y = tanh ? geluNew(x) : relu(x);
    high = i32x4.max_s(high, y);
    low = i32x4.max_u(low, y);
    v128.store(to, y);
  }
  setRange(high, low);
}
