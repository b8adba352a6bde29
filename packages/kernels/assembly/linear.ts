import {
  ACC, CHUNK, LANES, linearBias, linearBlockColumns, linearBlocks, linearColumns, linearKind, linearRows, linearScales, linearStarts,
  linearSums, partialSums, planActivation, planProfile, planRowwise, quantizedTile, ROW, scratch, TOKEN_SCALE, TOKEN_ZERO, Y,
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
  const firstRow = chunk * CHUNK;
  const endRow = min(end * CHUNK, linearRows(linear));
  if (firstRow >= endRow) return;
  if (linearKind(linear) != 0) {
    let p = load<i32>(linearStarts(linear) + (chunk << 2));
    for (let row = firstRow; row < endRow; row++) {
      p = floatRow(p, x, vectors, load<f32>(linearBias(linear) + (row << 2)));
      finish(row, vectors, out, residual, then);
    }
    return;
  }
  const split = planProfile() != 0;
  const blocks = linearBlocks(linear);
  const chunks = (linearRows(linear) + CHUNK - 1) / CHUNK;
  const blockBytes = linearBlockColumns(linear) * LANES;
  const partial = partialSums();
  for (let block = 0; block < blocks; block++) {
    let p = load<i32>(linearStarts(linear) + ((block * chunks + chunk) << 2));
    const tile = quantizedTile() + block * blockBytes;
    const last = block == blocks - 1;
    for (let row = firstRow; row < endRow; row++) {
      const kept = partial + (row - firstRow) * ROW;
      p = sumRowOf(split, vectors, p, tile, block == 0 ? 0 : kept, last ? scratch + ACC : kept);
      if (last) {
        scaleRow(linear, row, vectors);
        finish(row, vectors, out, residual, then);
      }
    }
  }
}

/** The int32 sums of a row to float32 results: packages/quant's dynamicLinear from `acc` on. */
// @ts-ignore: decorator
@inline function scaleRow(linear: i32, row: i32, vectors: i32): void {
  const sum = load<i32>(linearSums(linear) + (row << 2));
  const weightScale = load<f32>(linearScales(linear) + (row << 2));
  const bias = load<f32>(linearBias(linear) + (row << 2));
  const end = scratch + (vectors << 4);
  if (planRowwise()) {
    const two = planProfile() == 2;
    for (let p = scratch; p < end; p += 16) {
      const zero = i32x4.sub(i32x4.splat(center), v128.load(p, TOKEN_ZERO));
      const acc = i32x4.add(v128.load(p, ACC), i32x4.mul(zero, i32x4.splat(sum)));
      const factor = f32x4.mul(v128.load(p, TOKEN_SCALE), f32x4.splat(weightScale));
      v128.store(p, two ? twoRoundings(acc, factor, f32x4.splat(bias)) : oneRounding(acc, factor, bias), Y);
    }
    return;
  }
  const correction = i32x4.splat((center - zeroPoint) * sum);
  const factor: f32 = scale * weightScale;
  if (planProfile() == 2) {
    const factors = f32x4.splat(factor);
    const biases = f32x4.splat(bias);
    for (let p = scratch; p < end; p += 16) {
      v128.store(p, twoRoundings(i32x4.add(v128.load(p, ACC), correction), factors, biases), Y);
    }
    return;
  }
  const factors = f64x2.splat(factor);
  const biases = f64x2.splat(bias);
  for (let p = scratch; p < end; p += 16) {
    const acc = f32x4.convert_i32x4_s(i32x4.add(v128.load(p, ACC), correction));
    const low = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(acc), factors), biases);
    const high = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(upper(acc)), factors), biases);
    v128.store(p, joined(low, high), Y);
  }
}

// A float32 product is exact in float64, so the sum and the narrowing are the only roundings.
// @ts-ignore: decorator
@inline function oneRounding(acc: v128, factor: v128, bias: f64): v128 {
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
  } else {
    const kind = planActivation();
    let high = rangeHigh();
    let low = rangeLow();
    for (let j = 0; j < bytes; j += 16) {
      const x = v128.load(scratch + j, Y);
      const y = kind == 0 ? gelu(x) : kind == 1 ? geluNew(x) : relu(x);
      high = i32x4.max_s(high, y);
      low = i32x4.max_u(low, y);
      v128.store(to + j, y);
    }
    setRange(high, low);
  }
}
