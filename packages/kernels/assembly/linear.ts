import {
  ABS_MASK, ACC, constant, GELU_P, HALF, LANES, linearBias, linearBlockColumns, linearBlocks, linearChunkRows, linearChunks, linearKind,
  linearRows, linearStarts, ONE, partialSums, planActivation, planProfile, planRowwise, quantizedTile, ROW, scratch, TOKEN_SCALE, TOKEN_ZERO,
  Y,
} from './memory';
import { gelu, geluNew, relu } from './math';
import { center, scale, zeroPoint } from './quantize';
import { rangeHigh, rangeLow, setRange } from './range';
import { sumRowOf } from './sparse';

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
  const rows = min(end * chunkRows, linearRows(linear)) - chunk * chunkRows;
  if (rows <= 0) return;
  if (linearKind(linear) != 0) {
    let p = load<i32>(linearStarts(linear) + (chunk << 2));
    const first = chunk * chunkRows;
    for (let row = first; row < first + rows; row++) {
      p = floatRow(p, x, vectors, load<f32>(linearBias(linear) + (row << 2)));
      finish(row, vectors, out, residual, then);
    }
    return;
  }
  // The case that matters has loops of its own; the others pass through the row's buffer.
  const fast = !planRowwise() && planProfile() != 2;
  if (fast && then == STORE) int8Rows(linear, vectors, chunk, rows, out, 0, STORE, true);
  else if (fast && then == ADD) int8Rows(linear, vectors, chunk, rows, out, residual, ADD, true);
  else int8Rows(linear, vectors, chunk, rows, out, residual, then, false);
}

// @ts-ignore: decorator
@inline function int8Rows(
  linear: i32, vectors: i32, chunk: i32, rows: i32, out: i32, residual: i32, then: i32, fast: bool,
): void {
  const split = planProfile() != 0;
  const blocks = linearBlocks(linear);
  const blockBytes = linearBlockColumns(linear) * LANES;
  const partial = partialSums();
  const bytes = vectors << 4;
  for (let block = 0; block < blocks; block++) {
    let p = load<i32>(linearStarts(linear) + ((block * linearChunks(linear) + chunk) << 2));
    const tile = quantizedTile() + block * blockBytes;
    const last = block == blocks - 1;
    for (let i = 0; i < rows; i++) {
      const header = p;
      const row = load<i32>(header);
      const kept = partial + row * ROW;
      p = sumRowOf(split, vectors, p, tile, block == 0 ? 0 : kept, last ? scratch + ACC : kept);
      if (!last) continue;
      if (!fast) {
        scaleRow(header, vectors);
        finish(row, vectors, out, residual, then);
        continue;
      }
      const correction = i32x4.splat((center - zeroPoint) * load<i32>(header, 4));
      const factor = f64x2.splat(scale * load<f32>(header, 8));
      const bias = f64x2.splat(load<f32>(header, 12));
      const to = out + row * ROW;
      const other = residual + row * ROW;
      for (let j = 0; j < bytes; j += 16) {
        const y = oneRounding(i32x4.add(v128.load(scratch + j, ACC), correction), factor, bias);
        v128.store(to + j, then == ADD ? f32x4.add(y, v128.load(other + j)) : y);
      }
    }
  }
}

/** The int32 sums of a row to float32 results in the row's buffer: packages/quant's dynamicLinear from `acc` on. */
function scaleRow(header: i32, vectors: i32): void {
  const sum = load<i32>(header, 4);
  const weightScale = load<f32>(header, 8);
  const bias = load<f32>(header, 12);
  const end = scratch + (vectors << 4);
  const two = planProfile() == 2;
  if (planRowwise()) {
    for (let p = scratch; p < end; p += 16) {
      const zero = i32x4.sub(i32x4.splat(center), v128.load(p, TOKEN_ZERO));
      const acc = i32x4.add(v128.load(p, ACC), i32x4.mul(zero, i32x4.splat(sum)));
      const factors = f32x4.mul(v128.load(p, TOKEN_SCALE), f32x4.splat(weightScale));
      v128.store(p, two ? twoRoundings(acc, factors, f32x4.splat(bias)) : oneRoundingEach(acc, factors, bias), Y);
    }
    return;
  }
  const correction = i32x4.splat((center - zeroPoint) * sum);
  const factor: f32 = scale * weightScale;
  if (two) {
    for (let p = scratch; p < end; p += 16) {
      v128.store(p, twoRoundings(i32x4.add(v128.load(p, ACC), correction), f32x4.splat(factor), f32x4.splat(bias)), Y);
    }
    return;
  }
  const factors = f64x2.splat(factor);
  const biases = f64x2.splat(bias);
  for (let p = scratch; p < end; p += 16) {
    v128.store(p, oneRounding(i32x4.add(v128.load(p, ACC), correction), factors, biases), Y);
  }
}

// A float32 product is exact in float64, so the sum and the narrowing are the only roundings.
// @ts-ignore: decorator
@inline function oneRounding(acc: v128, factor: v128, bias: v128): v128 {
  const sums = f32x4.convert_i32x4_s(acc);
  const low = f64x2.mul(f64x2.promote_low_f32x4(sums), factor);
  const high = f64x2.mul(f64x2.promote_low_f32x4(upper(sums)), factor);
  return joined(f64x2.add(low, bias), f64x2.add(high, bias));
}

// @ts-ignore: decorator
@inline function oneRoundingEach(acc: v128, factor: v128, bias: f64): v128 {
  const sums = f32x4.convert_i32x4_s(acc);
  const low = f64x2.mul(f64x2.promote_low_f32x4(sums), f64x2.promote_low_f32x4(factor));
  const high = f64x2.mul(f64x2.promote_low_f32x4(upper(sums)), f64x2.promote_low_f32x4(upper(factor)));
  return joined(f64x2.add(low, f64x2.splat(bias)), f64x2.add(high, f64x2.splat(bias)));
}

// @ts-ignore: decorator
@inline function twoRoundings(acc: v128, factor: v128, bias: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.convert_i32x4_s(acc), factor), bias);
}

// @ts-ignore: decorator
@inline function upper(v: v128): v128 { return v128.shuffle<i32>(v, v, 2, 3, 2, 3); }

// @ts-ignore: decorator
@inline function joined(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** A float Linear's row: its stream is uint32 nonzeros, then uint32 offset (column * 128) and float32 weight each. */
function floatRow(p: i32, x: i32, vectors: i32, bias: f32): i32 {
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
    const to = scratch + (half << 4);
    v128.store(to, f32x4.add(a, biases), Y);
    v128.store(to, f32x4.add(b, biases), Y + 16);
    v128.store(to, f32x4.add(c, biases), Y + 32);
    v128.store(to, f32x4.add(d, biases), Y + 48);
  }
  return end;
}

function finish(row: i32, vectors: i32, out: i32, residual: i32, then: i32): void {
  const bytes = vectors << 4;
  const to = out + row * ROW;
  if (then == STORE) {
    for (let j = 0; j < bytes; j += 16) v128.store(to + j, v128.load(scratch + j, Y));
  } else if (then == ADD) {
    const other = residual + row * ROW;
    for (let j = 0; j < bytes; j += 16) v128.store(to + j, f32x4.add(v128.load(scratch + j, Y), v128.load(other + j)));
  } else if (planActivation() == 0) geluRow(to, bytes);
  else activateRow(to, bytes, planActivation() == 1);
}

/** The constants stay in registers over a row; loaded for every vector they were a fourth of its instructions. */
function geluRow(to: i32, bytes: i32): void {
  const p1 = constant(GELU_P), p2 = constant(GELU_P + 1), p3 = constant(GELU_P + 2);
  const p4 = constant(GELU_P + 3), p5 = constant(GELU_P + 4), p6 = constant(GELU_P + 5);
  const one = constant(ONE), half = constant(HALF), mask = constant(ABS_MASK);
  let high = rangeHigh();
  let low = rangeLow();
  for (let j = 0; j < bytes; j += 16) {
    const y = gelu(v128.load(scratch + j, Y), p1, p2, p3, p4, p5, p6, one, half, mask);
    high = i32x4.max_s(high, y);
    low = i32x4.max_u(low, y);
    v128.store(to + j, y);
  }
  setRange(high, low);
}

function activateRow(to: i32, bytes: i32, tanh: bool): void {
  let high = rangeHigh();
  let low = rangeLow();
  for (let j = 0; j < bytes; j += 16) {
    const x = v128.load(scratch + j, Y);
    const y = tanh ? geluNew(x) : relu(x);
    high = i32x4.max_s(high, y);
    low = i32x4.max_u(low, y);
    v128.store(to + j, y);
  }
  setRange(high, low);
}
