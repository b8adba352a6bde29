import { EXP_C, LOG2_E, MAGIC, ONE, T_MAX, T_MIN, TANH_CUBE, TANH_SCALE } from './generated/layout';
import { constant } from './memory';

/** src/reference/exp.ts for arguments up to 0. */
@inline export function expOfNegative(x: v128): v128 {
  return exp2(f32x4.pmax(f32x4.mul(x, constant(LOG2_E)), constant(T_MIN)));
}

/** src/reference/exp.ts */
@inline export function exp(x: v128): v128 {
  return exp2(f32x4.pmax(f32x4.pmin(f32x4.mul(x, constant(LOG2_E)), constant(T_MAX)), constant(T_MIN)));
}

@inline function exp2(t: v128): v128 {
  const magic = constant(MAGIC);
  const shifted = f32x4.add(t, magic);
  const f = f32x4.sub(t, f32x4.sub(shifted, magic));
  let p = f32x4.add(f32x4.mul(constant(EXP_C + 4), f), constant(EXP_C + 3));
  p = f32x4.add(f32x4.mul(p, f), constant(EXP_C + 2));
  p = f32x4.add(f32x4.mul(p, f), constant(EXP_C + 1));
  p = f32x4.add(f32x4.mul(p, f), constant(EXP_C));
  p = f32x4.add(f32x4.mul(p, f), constant(ONE));
  // The integer sits in the low bits of `shifted`; added to the exponent it is the exact product with 2^n.
  return i32x4.add(p, i32x4.shl(shifted, 23));
}

/** src/reference/activate.ts, gelu: p of |x|; all constants handed in. */
@inline export function geluBase(
  x: v128, p1: v128, p2: v128, p3: v128, p4: v128, p5: v128, p6: v128, one: v128, mask: v128,
): v128 {
  const a = v128.and(x, mask);
  const square = f32x4.mul(a, a);
  const low = f32x4.add(f32x4.mul(p1, a), one);
  const middle = f32x4.add(f32x4.mul(p3, a), p2);
  const high = f32x4.add(f32x4.add(f32x4.mul(p5, a), p4), f32x4.mul(p6, square));
  return f32x4.add(low, f32x4.mul(square, f32x4.add(middle, f32x4.mul(square, high))));
}

/** The rest of gelu: of x and its p. */
@inline export function geluOf(x: v128, base: v128, half: v128, mask: v128): v128 {
  let p = f32x4.mul(base, base);
  p = f32x4.mul(p, p);
  p = f32x4.mul(p, p);
  p = f32x4.mul(p, p);
  return f32x4.sub(relu(x), f32x4.div(f32x4.mul(v128.and(x, mask), half), p));
}

/** src/reference/activate.ts, gelu_new */
@inline export function geluNew(x: v128): v128 {
  const cube = f32x4.mul(f32x4.mul(x, x), x);
  const y = f32x4.add(x, f32x4.mul(constant(TANH_CUBE), cube));
  return f32x4.div(x, f32x4.add(constant(ONE), exp(f32x4.mul(constant(TANH_SCALE), y))));
}

@inline export function relu(x: v128): v128 {
  return f32x4.pmax(f32x4.splat(0), x);
}
