import { planEps, planHidden, ROW_BYTES } from './generated/layout';
import { rangeHigh, rangeLow, setRange } from './range';

/**
 * LayerNorm of a tile in place or not (src/reference/layer-norm.ts), its range kept; 4 vectors at a time, so that four sums run side by side.
 * shapes: x f32[hidden][32], weight f32[hidden], bias f32[hidden] -> y f32[hidden][32]
 */
export function layerNormTile(x: i32, y: i32, weight: i32, bias: i32, vectors: i32): void {
  for (let j = 0; j < vectors; j += 4) normalize(x + (j << 4), y + (j << 4), weight, bias, min(4, vectors - j));
}

function normalize(x: i32, y: i32, weight: i32, bias: i32, vectors: i32): void {
  const n = planHidden();
  const end = x + n * ROW_BYTES;
  const count = f32x4.splat(<f32>n);
  let a = f32x4.splat(0);
  let b = a, c = a, d = a;
  for (let p = x; p < end; p += ROW_BYTES) {
    a = f32x4.add(a, v128.load(p));
    b = f32x4.add(b, v128.load(p, 16));
    c = f32x4.add(c, v128.load(p, 32));
    d = f32x4.add(d, v128.load(p, 48));
  }
  const ma = f32x4.div(a, count), mb = f32x4.div(b, count), mc = f32x4.div(c, count), md = f32x4.div(d, count);
  a = b = c = d = f32x4.splat(0);
  for (let p = x; p < end; p += ROW_BYTES) {
    a = addSquare(a, f32x4.sub(v128.load(p), ma));
    b = addSquare(b, f32x4.sub(v128.load(p, 16), mb));
    c = addSquare(c, f32x4.sub(v128.load(p, 32), mc));
    d = addSquare(d, f32x4.sub(v128.load(p, 48), md));
  }
  const ia = inverseDeviation(a, count), ib = inverseDeviation(b, count);
  const ic = inverseDeviation(c, count), id = inverseDeviation(d, count);
  let high0 = rangeHigh(0), high1 = rangeHigh(1), low0 = rangeLow(0), low1 = rangeLow(1);
  for (let p = x; p < end; p += ROW_BYTES) {
    const w = v128.load_splat<u32>(weight);
    const s = v128.load_splat<u32>(bias);
    const ya = affine(v128.load(p), ma, ia, w, s), yb = affine(v128.load(p, 16), mb, ib, w, s);
    const yc = affine(v128.load(p, 32), mc, ic, w, s), yd = affine(v128.load(p, 48), md, id, w, s);
    if (vectors == 4) {
      high0 = i32x4.max_s(i32x4.max_s(high0, ya), yc);
      high1 = i32x4.max_s(i32x4.max_s(high1, yb), yd);
      low0 = i32x4.max_u(i32x4.max_u(low0, ya), yc);
      low1 = i32x4.max_u(i32x4.max_u(low1, yb), yd);
      v128.store(y, yd, 48);
      v128.store(y, yc, 32);
      v128.store(y, yb, 16);
      v128.store(y, ya);
    } else {
      high0 = i32x4.max_s(high0, ya);
      low0 = i32x4.max_u(low0, ya);
      v128.store(y, ya);
      if (vectors > 1) {
        high1 = i32x4.max_s(high1, yb);
        low1 = i32x4.max_u(low1, yb);
        v128.store(y, yb, 16);
      }
      if (vectors > 2) {
        high0 = i32x4.max_s(high0, yc);
        low0 = i32x4.max_u(low0, yc);
        v128.store(y, yc, 32);
      }
    }
    weight += 4;
    bias += 4;
    y += ROW_BYTES;
  }
  setRange(high0, high1, low0, low1);
}

@inline function addSquare(sum: v128, d: v128): v128 { return f32x4.add(sum, f32x4.mul(d, d)); }

@inline function inverseDeviation(squares: v128, count: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(f32x4.div(squares, count), f32x4.splat(planEps()))));
}

@inline function affine(x: v128, mean: v128, inverse: v128, weight: v128, bias: v128): v128 {
  return f32x4.add(f32x4.mul(f32x4.mul(f32x4.sub(x, mean), inverse), weight), bias);
}
